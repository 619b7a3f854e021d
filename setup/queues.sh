# shellcheck shell=bash
# queues.sh: the four queues from create-queue.json, and a dead-letter queue for each of the two request queues.

readonly private_name="/(${queue_names[1]}|${queue_names[3]})-[0-9a-f]{16,32}\$"

# Look up all queues at once, for queue_url.
find_queues() {
  # Without a page size, SQS lists a thousand queues and says nothing of the others.
  known_urls=$(aws_require sqs list-queues \
    --page-size 1000 \
    --query "QueueUrls[]" \
    --output text)
}

# queue_url NAME: its URL, or empty if there is no such queue.
queue_url() {
  local url
  for url in $known_urls; do [[ $url != */"$1" ]] || say "$url"; done
}

# private_queues: the URLs of the clients' private reply queues.
private_queues() {
  local url
  for url in $known_urls; do ! is_private "$url" || say "$url"; done
}

is_private() { [[ $1 =~ $private_name ]]; }

make_queues() {
  local queue
  find_queues
  find_owners
  reject_foreign_queues
  for queue in "${queue_names[@]}"; do begin make_queue "$queue" "file://$attributes_file"; done
  for queue in "${dead_names[@]}"; do begin make_queue "$queue" "MessageRetentionPeriod=$dead_seconds"; done
  finish
  for queue in "${served_names[@]}"; do begin set_redrive_policy "$queue"; done
  finish
}

# make_queue NAME ATTRIBUTES: create it, or repair the attributes that have drifted.
make_queue() {
  local url there=""
  url=$(queue_url "$1")
  if [[ -n $url ]] && is_being_deleted "$@"; then url=""; fi
  # A queue that was deleted less than a minute ago may still be listed, without attributes.
  [[ -z $url ]] || there=$(aws_lookup sqs get-queue-attributes \
    --queue-url "$url" \
    --attribute-names All \
    --query Attributes \
    --output json)
  if [[ -z $there ]]; then
    aws_apply sqs create-queue \
      --queue-name "$1" \
      --attributes "$2" \
      --tags "courier=$name" \
      --query QueueUrl \
      --output text
    say "$response" >"$scratch/url.$1"
    return
  fi
  say "$2" >"$scratch/found.$1"
  claim_queue "$1" "$url"
  if [[ -n $(comm -13 <(pairs <<<"$there") <(wanted "$2" | sort)) ]]; then
    say "queue $1 has drifted"
    aws_apply sqs set-queue-attributes \
      --queue-url "$url" \
      --attributes "$2"
  else
    say "queue $1 is as it should be"
  fi
}

# is_being_deleted NAME ATTRIBUTES: whether SQS is deleting a queue that it still lists. For up to a minute such a queue
# answers as if nothing had happened; only create-queue, which changes nothing of a queue that exists, says what it is.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html
is_being_deleted() {
  local said
  ! $dry || return 1
  said=$(aws_try sqs create-queue \
    --queue-name "$1" \
    --attributes "$2" \
    --tags "courier=$name" 2>&1) && return 1
  [[ $said == *QueueDeletedRecently* || $said == *"wait 60 seconds"* ]]
}

# look_at_queues_again: create those again that were found at first and are gone now, since they were being deleted.
look_at_queues_again() {
  local one gone=()
  [[ -n $(find "$scratch" -name 'found.*') ]] || return 0
  find_queues
  for one in "${queue_names[@]}" "${dead_names[@]}"; do
    [[ ! -f $scratch/found.$one ]] || begin look_at_queue_again "$one" "$(<"$scratch/found.$one")"
  done
  finish
  for one in "${queue_names[@]}" "${dead_names[@]}"; do [[ ! -f $scratch/gone.$one ]] || gone+=("$one"); done
  ((${#gone[@]})) || return 0
  say "These queues were being deleted, and are created again: ${gone[*]}"
  make_queues
}

look_at_queue_again() { # NAME ATTRIBUTES
  if [[ -z $(queue_url "$1") ]] || is_being_deleted "$@"; then echo >"$scratch/gone.$1"; fi
}

# claim_queue NAME URL: a queue without a tag becomes this set-up's.
claim_queue() {
  local owner
  read_file owner "$scratch/owner.$1"
  [[ $owner == - ]] || return 0
  say "queue $1 existed before: it now belongs to this set-up, and down removes it"
  aws_apply sqs tag-queue \
    --queue-url "$2" \
    --tags "courier=$name"
}

# find_owners: write the owner of each existing queue to owner.NAME.
find_owners() {
  local one url
  for one in "${queue_names[@]}" "${dead_names[@]}"; do
    url=$(queue_url "$one")
    [[ -z $url ]] || begin note_owner "$one" "$url"
  done
  finish
}

note_owner() { owner_of_queue "$2" >"$scratch/owner.$1"; }

# reject_foreign_queues: exit if one of them belongs to another set-up, before anything is changed.
reject_foreign_queues() {
  local one owner
  for one in "${queue_names[@]}" "${dead_names[@]}"; do
    read_file owner "$scratch/owner.$one"
    [[ -z $owner || $owner == - || $owner == "$name" ]] ||
      die 1 "The queue $one belongs to the set-up '$owner'. Use that set-up (--name $owner), or give this one its own queues: COURIER_REQUEST_QUEUE and the other three."
  done
}

# owner_of_queue URL: the name of the set-up that owns it, - if none, or empty if it is deleted but still listed.
owner_of_queue() {
  aws_lookup sqs list-queue-tags \
    --queue-url "$1" \
    --query "Tags.courier || '-'" \
    --output text
}

# pairs: the lines KEY=VALUE of a JSON object of strings, sorted.
pairs() { sed -n 's/^ *"\([A-Za-z]*\)": *"\(.*\)",\{0,1\}$/\1=\2/p' | sort; }

wanted() { if [[ $1 == file://* ]]; then pairs <"${1#file://}"; else say "$1"; fi; }

set_redrive_policy() {
  local url there="" policy
  # A new queue may not be listed yet, and has no policy to look up.
  if [[ -f $scratch/url.$1 ]]; then
    read_file url "$scratch/url.$1"
  elif url=$(queue_url "$1") && [[ -n $url ]]; then
    there=$(aws_lookup sqs get-queue-attributes \
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
  aws_apply sqs set-queue-attributes \
    --queue-url "${url:-$1}" \
    --attributes "{\"RedrivePolicy\": \"$policy\"}"
}

arn_of_queue() { say "arn:$partition:sqs:$region:$account:$1"; }

# find_own_queues: set `own_queues` to the URLs of the queues with this set-up's tag, and of its clients' reply queues.
find_own_queues() {
  local one url owner
  find_queues
  find_owners
  own_queues=()
  for one in "${queue_names[@]}" "${dead_names[@]}"; do
    [[ -f $scratch/owner.$one ]] || continue
    read_file owner "$scratch/owner.$one"
    case $owner in
      "$name") own_queues+=("$(queue_url "$one")") ;;
      -) say "left as it is: queue $one, which has no set-up's tag. To tag it: ./aws_setup.sh queues" >&2 ;;
    esac
  done
  # A private reply queue belongs to the owner of the reply queue that it replaces.
  for url in $(private_queues); do
    one=${url##*/}
    [[ " ${own_queues[*]-} " != *"/${one%-*} "* ]] || own_queues+=("$url")
  done
}

remove_queues() {
  local url
  for url in ${own_queues[@]+"${own_queues[@]}"}; do begin remove_queue "$url"; done
  finish
}

remove_queue() { aws_apply sqs delete-queue --queue-url "$1"; }
