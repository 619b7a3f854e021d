# shellcheck shell=bash
# status.sh: status and doctor, in one Python process that makes all calls side by side (courier/cli/set_up.py).

# report VERB: run status or doctor. Its Python knows how to read AWS, and gets what there should be from here.
report() {
  local python options=() expected=() word
  python=$(find_python) || die 2 "$1 needs Python with the packages of the clients. Install them once: ./run_local.sh setup"
  ! $as_json || options+=(--json)
  [[ -z $region ]] || export AWS_REGION=$region AWS_DEFAULT_REGION=$region
  use_profile
  expected_names >"$scratch/expected"
  [[ $1 == status ]] || expected_details >>"$scratch/expected"
  while IFS= read -r word; do expected+=("$word"); done <"$scratch/expected"
  PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" "$python" -m courier.cli.set_up "$1" ${options[@]+"${options[@]}"} ${expected[@]+"${expected[@]}"}
}

# watch_live: become watch, which needs what status needs.
watch_live() {
  local python options=()
  ! $once || options+=(--once)
  ! $as_json || options+=(--json)
  python=$(find_python) || die 2 "watch needs Python with the packages of the clients. Install them once: ./run_local.sh setup"
  [[ -z $region ]] || export AWS_REGION=$region AWS_DEFAULT_REGION=$region
  use_profile
  export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" SETUP_PROGRAM="aws_setup.sh"
  exec "$python" -m courier.cli.watch --name "$name" ${options[@]+"${options[@]}"}
}

# use_profile: have the profile that was given decide, and not credentials in the environment.
use_profile() {
  [[ -n $profile ]] || return 0
  unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
  export AWS_PROFILE=$profile
}

# expected_names: the names of this set-up, a NAME=VALUE a line. Where a Learner Lab has another name, both.
expected_names() {
  say "name=$name"
  say "flags=$(own_flags)"
  say "local=${SETUP_LOCAL:-}"
  [[ -n ${SETUP_LOCAL:-} ]] || say "alarms=$(alarm_names | tr "\n" " ")"
  [[ -n ${SETUP_LOCAL:-} ]] || say "topic=$(topic_name)"
  $with_ec2 || return 0
  say ec2=yes
  say "group=$(group_name)"
  say "key=$(key_name)"
  say "lab_key=$(is_lab=true region=us-east-1 && key_name)"
  say "profile=$(profile_name)"
  say "lab_profile=$(is_lab=true && profile_name)"
  say "role=$(role_name)"
  say role_policy=courier-worker
  say "template=$(template_name)"
  say "policy=$name-client"
}

# expected_details: what the doctor compares, with placeholders for what depends on the account.
expected_details() {
  # shellcheck disable=SC2034  # read by the functions that are called here
  local account=@ACCOUNT@ bucket=@BUCKET@ region=@REGION@ partition=@PARTITION@
  say "attributes=$(compact <"$attributes_file")"
  say "dead_attributes={\"MessageRetentionPeriod\":\"$dead_seconds\"}"
  say "max_deliveries=$max_deliveries"
  say "lifecycle=images/ $expire_days 1,numbers/ $list_days 1"
  say "tls=$(policy_document bucket)"
  $with_ec2 || return 0
  say "trust=$(policy_document trust)"
  say "worker=$(policy_document worker)"
  say "client=$(policy_document client)"
  expected_access
  ! $fleet || say "workers=$workers"
  list_code
  say "code=$(sum_of_code)"
}

# expected_access: who may use SSH.
expected_access() {
  if $no_ssh; then
    say no_ssh=yes
  elif [[ -n $ssh_cidr ]]; then
    settle_cidr
    say "ssh_cidr=$ssh_cidr"
  else
    say "address_url=${SETUP_ADDRESS_URL:-https://checkip.amazonaws.com}"
  fi
}

# own_flags: the options that select this set-up, each after a blank.
own_flags() {
  local flags=""
  [[ $name == lab3 ]] || flags+=" --name $name"
  [[ -z $given_region ]] || flags+=" --region $given_region"
  [[ -z $profile ]] || flags+=" --profile $profile"
  say "$flags"
}
