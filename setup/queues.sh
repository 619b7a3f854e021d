# shellcheck shell=bash
# queues.sh: the four queues from create-queue.json, and a dead-letter queue for each that workers serve.

# Look all queues up at once, for queue_url.
find_queues() {
  known_urls=$(need sqs list-queues \
    --query "QueueUrls[]" \
    --output text)
}

# queue_url NAME: its URL, or nothing if there is no such queue.
queue_url() { tr '\t' '\n' <<<"$known_urls" | grep "/$1\$" || true; }

# private_queues: the URLs of reply queues that clients made for themselves and left.
private_queues() { tr '\t' '\n' <<<"$known_urls" | grep -E "/(${queue_names[1]}|${queue_names[3]})-[0-9a-f]{16,32}\$" || true; }

make_queues() {
  local name
  find_queues
  for name in "${queue_names[@]}"; do begin make_queue "$name" "file://$attributes_file"; done
  for name in "${dead_names[@]}"; do begin make_queue "$name" "MessageRetentionPeriod=$dead_seconds"; done
  finish
  for name in "${served_names[@]}"; do begin bury_in_dead_letter_queue "$name"; done
  finish
}

# make_queue NAME ATTRIBUTES: create it, or bring what has drifted in line.
make_queue() {
  local url there=""
  url=$(queue_url "$1")
  # A queue that was deleted under a minute ago is still listed, and has no attributes.
  [[ -z $url ]] || there=$(look sqs get-queue-attributes \
    --queue-url "$url" \
    --attribute-names All \
    --query Attributes \
    --output json)
  if [[ -z $there ]]; then
    change sqs create-queue \
      --queue-name "$1" \
      --attributes "$2" \
      --query QueueUrl \
      --output text
    say "$answer" >"$scratch/url.$1"
  elif [[ -n $(comm -13 <(pairs <<<"$there") <(wanted "$2" | sort)) ]]; then
    say "queue $1 has drifted"
    change sqs set-queue-attributes \
      --queue-url "$url" \
      --attributes "$2"
  else
    say "queue $1 is as it should be"
  fi
}

# pairs: the lines KEY=VALUE of a JSON object of strings, sorted.
pairs() { sed -n 's/^ *"\([A-Za-z]*\)": *"\(.*\)",\{0,1\}$/\1=\2/p' | sort; }

wanted() { if [[ $1 == file://* ]]; then pairs <"${1#file://}"; else say "$1"; fi; }

bury_in_dead_letter_queue() {
  local url there="" policy
  # A queue that was just made may not be listed yet.
  url=$(cat "$scratch/url.$1" 2>/dev/null || queue_url "$1")
  if [[ -n $url ]]; then
    there=$(look sqs get-queue-attributes \
      --queue-url "$url" \
      --attribute-names RedrivePolicy \
      --query Attributes.RedrivePolicy \
      --output text)
    there=$(tr -d '"' <<<"$there" | compact),
  fi
  if [[ ${there:-} == *"deadLetterTargetArn:$(arn_of_queue "$1-dead")"[,}]* && $there == *"maxReceiveCount:$max_deliveries"[,}]* ]]; then
    return
  fi
  policy=$(printf '{\\"deadLetterTargetArn\\":\\"%s\\",\\"maxReceiveCount\\":\\"%s\\"}' "$(arn_of_queue "$1-dead")" "$max_deliveries")
  change sqs set-queue-attributes \
    --queue-url "${url:-$1}" \
    --attributes "{\"RedrivePolicy\": \"$policy\"}"
}

arn_of_queue() { say "arn:aws:sqs:$region:$account:$1"; }

remove_queue() { # NAME or URL
  local url=$1
  [[ $url == */* ]] || url=$(queue_url "$1")
  if [[ -z $url ]]; then say "queue $1 is not there"; else change sqs delete-queue --queue-url "$url"; fi
}

remove_queues() {
  local name
  for name in "${queue_names[@]}" "${dead_names[@]}" $(private_queues); do begin remove_queue "$name"; done
  finish
}
