# shellcheck shell=bash
# status.sh: what exists, one line each.

# row KIND NAME STATE TEXT [KEY=VALUE...]: a line of the status. People read the text, or the state where there is none;
# JSON has the state and the values, numbers as numbers (docs/reference/json/aws-setup-status.json).
row() {
  local kind=$1 name=$2 state=$3 text=$4 pair value values=""
  shift 4
  if ! $as_json; then
    printf '%-8s %-28s %s\n' "$kind" "$name" "${text:-$state}"
    return
  fi
  for pair in "$@"; do
    value=${pair#*=}
    [[ $value =~ ^([0-9]+|true|false)$ ]] || value="\"$value\""
    values+=", \"${pair%%=*}\": $value"
  done
  printf '{"kind": "%s", "name": "%s", "state": "%s"%s}\n' "$kind" "$name" "$state" "$values"
}

show_status() {
  local part status=0 others=(bucket)
  find_queues
  $as_json || say "account $account, region $region${AWS_ENDPOINT_URL:+, endpoint $AWS_ENDPOINT_URL}$($is_lab && echo ', a Learner Lab' || true)"
  ! $with_ec2 || others+=(role policy network key fleet machine)
  look_at_parts &
  wait $! || status=$?
  for part in "${queue_names[@]}" "${dead_names[@]}" "${others[@]}"; do cat "$scratch/status.$part"; done
  # What these credentials may not read has no row; the rest is shown all the same.
  return "$status"
}

look_at_parts() {
  for part in "${queue_names[@]}" "${dead_names[@]}"; do begin queue_status "$part" >"$scratch/status.$part"; done
  for part in "${others[@]}"; do begin "${part}_status" >"$scratch/status.$part"; done
  finish
}

queue_status() {
  local url depths waiting in_flight
  url=$(queue_url "$1")
  if [[ -z $url ]]; then
    row queue "$1" missing ""
    return
  fi
  depths=$(aws_lookup sqs get-queue-attributes \
    --queue-url "$url" \
    --attribute-names ApproximateNumberOfMessages ApproximateNumberOfMessagesNotVisible \
    --query "Attributes.[ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible]" \
    --output text)
  if [[ -z $depths ]]; then
    row queue "$1" missing ""
    return
  fi
  read -r waiting in_flight <<<"$depths"
  row queue "$1" exists "$waiting waiting, $in_flight in flight" waiting="$waiting" in_flight="$in_flight"
}

bucket_status() {
  find_bucket
  case $bucket_state in
    own) row bucket "$bucket" exists "" ;;
    other) row bucket "$bucket" exists "exists, and was there before" was_there=true ;;
    theirs) row bucket "$bucket" foreign "belongs to the set-up $bucket_owner" owner="$bucket_owner" ;;
    missing) row bucket "$bucket" missing "" ;;
  esac
}

network_status() {
  local sources
  find_group
  if [[ -z $known_group ]]; then
    row group "$(group_name)" missing ""
    return
  fi
  sources=$(aws_lookup ec2 describe-security-group-rules \
    --filters "Name=group-id,Values=$known_group" \
    --query "join(', ', SecurityGroupRules[?!IsEgress && (IpProtocol=='-1' || (FromPort<=\`22\` && ToPort>=\`22\`))].[CidrIpv4 || CidrIpv6 || PrefixListId || ReferencedGroupInfo.GroupId][])" \
    --output text)
  row group "$(group_name)" exists "SSH from ${sources:-nobody}" ssh_from="$sources"
}

key_status() {
  local there
  there=$(aws_lookup ec2 describe-key-pairs --key-names "$(key_name)" --query "KeyPairs[0].KeyName" --output text)
  row key "$(key_name)" "$(exists "$there")" ""
}

role_status() {
  local there
  there=$(aws_lookup iam get-instance-profile \
    --instance-profile-name "$(profile_name)" \
    --query "InstanceProfile.Roles[0].RoleName" \
    --output text)
  row role "$(profile_name)" "$(exists "$there")" ""
}

policy_status() {
  local there
  ! $is_lab || return 0
  there=$(aws_lookup iam get-policy --policy-arn "$(client_policy_arn)" --query Policy.Arn --output text)
  row policy "$name-client" "$(exists "$there")" ""
}

fleet_status() {
  local there least most wanted
  there=$(find_scaling_group)
  [[ -n $there ]] || return 0
  read -r least most wanted _ <<<"$there"
  row machines "$(template_name)" exists "$wanted wanted, from $least to $most" wanted="$wanted" least="$least" most="$most"
}

exists() { if [[ -n $1 ]]; then say exists; else say missing; fi; }

machine_status() {
  local found id state address kind _
  found=$(find_instance "$alive")
  while read -r id state address kind _; do
    [[ -n $id ]] || continue
    [[ $address != - ]] || address=""
    row instance "$id" "$state" "$state, $kind, ${address:-no address}" type="$kind" address="$address"
  done <<<"$found"
}
