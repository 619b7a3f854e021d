# shellcheck shell=bash
# teardown.sh: remove everything, or the reply queues that crashed clients left.

# inventory: what there is to remove, one line each. No lookup stands in a condition: there, bash would ignore an error,
# and a resource that could not be read would count as gone.
inventory() {
  local one
  find_own_queues
  find_bucket
  for one in ${own_queues[@]+"${own_queues[@]}"}; do say "queue ${one##*/}"; done
  case $bucket_state in
    own) say "bucket $bucket, with all its objects" ;;
    other) [[ -z $code_owner ]] || say "the workers' code in bucket $bucket, which stays" ;;
  esac
  inventory_of_alarms
  ! $with_ec2 || inventory_of_machines
}

inventory_of_machines() {
  local there
  there=$(find_instance "$alive")
  awk 'NF { print "instance " $1 " (" $2 ")" }' <<<"$there"
  there=$(find_scaling_group)
  [[ -z $there ]] || say "Auto Scaling group $(template_name), with its machines"
  there=$(find_template)
  [[ -z $there ]] || say "launch template $(template_name)"
  find_group
  if [[ $known_group_owner == "$name" ]]; then
    say "security group $(group_name)"
  elif [[ -n $known_group ]]; then
    say "left as it is: security group $(group_name), which has no tag of this set-up" >&2
  fi
  if [[ $(key_name) != vockey ]]; then
    there=$(own_key)
    [[ -z $there ]] || say "key $(key_name) in AWS (the file $(key_file) stays)"
  fi
  ! $is_lab || return 0
  there=$(role_owner)
  [[ $there != "$name/$region" ]] || say "role $(role_name)"
  there=$(profile_owner)
  [[ $there != "$name/$region" ]] || say "instance profile $(role_name)"
  there=$(policy_owner)
  [[ $there != "$name/$region" ]] || say "policy $name-client"
}

remove_all() {
  inventory >"$scratch/inventory"
  if [[ ! -s $scratch/inventory ]]; then
    say "There is nothing to remove."
    return
  fi
  say "This will be removed:"
  sed 's/^/  /' "$scratch/inventory" | pass
  confirm "Remove all of it?" || die 0 "Nothing was removed."
  if $with_ec2; then
    remove_fleet
    remove_machine
    begin remove_group
    begin remove_key
    begin remove_roles
  fi
  begin remove_queues
  begin remove_alarms
  begin remove_bucket
  finish
  say "Everything is removed."
}

# sweep: remove reply queues that are too old to belong to a running client.
sweep() {
  local url
  find_own_queues
  for url in ${own_queues[@]+"${own_queues[@]}"}; do
    ! is_private "$url" || begin sweep_queue "$url"
  done
  finish
  (($(count_changes) > 0)) || say "There are no stale reply queues to remove."
}

sweep_queue() { # URL
  local made_at
  made_at=$(aws_lookup sqs get-queue-attributes \
    --queue-url "$1" \
    --attribute-names CreatedTimestamp \
    --query Attributes.CreatedTimestamp \
    --output text)
  [[ -n $made_at ]] || return 0
  if (($(date +%s) - ${made_at%.*} < sweep_seconds)); then
    say "left as it is: ${1##*/} is younger than six hours"
  else
    remove_queue "$1"
  fi
}
