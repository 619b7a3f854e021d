# shellcheck shell=bash
# doctor.sh: find what is wrong, and say how to fix it.

# doctor: check everything in order, and say how to fix what is wrong.
doctor() {
  local wrong=0 problem
  verdict ok "keys" "account $account, region $region$($is_lab && echo ', a Learner Lab' || true), $(command aws --version 2>&1 | cut -d ' ' -f 1)"
  dry=true
  # Not in a condition: there, bash would ignore an error.
  make_everything >"$scratch/plan" 2>"$scratch/problems" &
  wait $! || wrong=1
  dry=false
  doctor_of_differences
  while read -r problem; do verdict WRONG "set-up" "${problem#aws_setup.sh: }"; done <"$scratch/problems"
  doctor_of_machine
  doctor_of_queues
  doctor_of_workers
  ! grep -q '^WRONG' "$scratch/verdicts" && ((wrong == 0)) || exit 1
}

# What up would change has drifted. A few differences are named, many are counted.
doctor_of_differences() {
  local difference count
  sed -n 's/^would run: aws \([a-z0-9-]* [a-z-]*\)\(.*\)$/\1=\1\2/p' "$scratch/plan" | grep -v '^ec2 start-instances' | cut -c 1-200 >"$scratch/differences" || true
  count=$(wc -l <"$scratch/differences" | tr -d ' ')
  if ((count > most_differences)); then
    verdict WRONG "set-up" "$count resources are missing or have drifted. Show them: ./aws_setup.sh plan; repair them: ./aws_setup.sh up"
    return
  fi
  while read -r difference; do
    verdict WRONG "${difference%%=*}" "./aws_setup.sh up would run: aws ${difference#*=}"
  done <"$scratch/differences"
  ((count > 0)) || verdict ok "set-up" "as aws_setup.sh makes it"
}

verdict() { # ok|WRONG, what, words
  printf '%-6s %-24s %s\n' "$1" "$2" "$3" | tee -a "$scratch/verdicts"
}

doctor_of_machine() {
  local there id state address kind _
  $with_ec2 || return 0
  there=$(find_instance "$alive")
  read -r id state address kind _ <<<"$there"
  case ${state:-none} in
    running) verdict ok instance "$id, $kind, at $address" ;;
    none) verdict WRONG instance "there is none: ./aws_setup.sh up" ;;
    *) verdict WRONG instance "$id is $state: ./aws_setup.sh start" ;;
  esac
}

doctor_of_queues() {
  local one url count left=0
  find_own_queues
  for one in "${dead_names[@]}"; do
    url=$(queue_url "$one")
    [[ -n $url ]] || continue
    count=$(aws_require sqs get-queue-attributes \
      --queue-url "$url" \
      --attribute-names ApproximateNumberOfMessages \
      --query Attributes.ApproximateNumberOfMessages \
      --output text)
    ((count == 0)) || verdict WRONG "$one" "$count requests are in the dead-letter queue. Show them: python numbers_client.py dead; send them back: redrive"
  done
  for url in ${own_queues[@]+"${own_queues[@]}"}; do ! is_private "$url" || left=$((left + 1)); done
  ((left < 20)) || verdict WRONG "reply queues" "$left stale reply queues left by crashed clients. Remove them: ./aws_setup.sh sweep"
}

# doctor_of_workers: whether a worker of each application responds, if the clients can run here.
doctor_of_workers() {
  local python application response
  python=$(find_python) || return 0
  [[ -n $(queue_url "${queue_names[0]}") ]] || return 0
  for application in numbers images; do
    if response=$(use_account "$python" "$here/${application}_client.py" check --timeout 5 --json 2>&1); then
      verdict ok "$application worker" "responds in $(sed 's/.*"worker_answers_in_seconds": \([0-9.]*\).*/\1/' <<<"$response") s"
    else
      verdict WRONG "$application worker" "$(tail -n 1 <<<"$response" | cut -c 1-120) Look at its log: ./aws_setup.sh logs"
    fi
  done
}
