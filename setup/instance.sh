# shellcheck shell=bash
# instance.sh: the EC2 instance that the workers run on.

readonly max_user_data=16384

find_instance() {
  aws_lookup ec2 describe-instances \
    --filters "Name=tag:courier,Values=$name" "Name=instance-state-name,Values=$1" \
    --query "Reservations[].Instances[].[InstanceId,State.Name,PublicIpAddress || '-',InstanceType,MetadataOptions.HttpTokens || '-',KeyName || '-']" \
    --output text
}

readonly connect_seconds=10
readonly alive=pending,running,stopping,stopped

# architecture TYPE: x86_64, or arm64 for Graviton, whose families have a g after the number.
architecture() { if [[ $1 =~ ^[a-z]+[0-9]+[a-z]*g[a-z]*\. ]]; then say arm64; else say x86_64; fi; }

default_type() { if $is_lab; then say t2.micro; else say t3.micro; fi; }

image_parameter() { say "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-$(architecture "$instance_type")"; }

# is_burstable TYPE: whether the type charges for CPU bursts by default.
is_burstable() { [[ $1 == t3.* || $1 == t3a.* || $1 == t4g.* ]]; }

# credits_of_boot: standard has no credits at first, and would boot at a fifth of a core. limit_bursts ends it.
credits_of_boot() { if $is_lab; then say standard; else say unlimited; fi; }

# find_burstable STATES: the ids of our instances of such types.
find_burstable() {
  local id kind found
  found=$(find_instance "$1")
  while read -r id _ _ kind _; do
    ! is_burstable "$kind" || say "$id"
  done <<<"$found"
}

set_credits() { # MODE, ids
  local mode=$1 id
  shift
  for id; do
    aws_apply ec2 modify-instance-credit-specification \
      --instance-credit-specifications "InstanceId=$id,CpuCredits=$mode"
  done
}

# limit_bursts: have instances no longer spend CPU credits that they must pay for.
limit_bursts() {
  local ids unlimited
  ids=$(find_burstable "$alive")
  [[ -n $ids ]] || return 0
  # shellcheck disable=SC2086
  unlimited=$(aws_lookup ec2 describe-instance-credit-specifications \
    --instance-ids $ids \
    --query "InstanceCreditSpecifications[?CpuCredits=='unlimited'].InstanceId" \
    --output text)
  # shellcheck disable=SC2086
  set_credits standard $unlimited
}

# image_id: the newest Amazon Linux 2023, from its parameter, or from the list of images where SSM may not be read.
image_id() {
  local found
  found=$(image_of_parameter)
  if [[ -n $found ]]; then say "$found"; else listed_image; fi
}

image_of_parameter() {
  (aws_try ssm get-parameter \
    --name "$(image_parameter)" \
    --query Parameter.Value \
    --output text 2>/dev/null) || true
}

listed_image() {
  local found
  found=$(aws_require ec2 describe-images \
    --owners amazon \
    --filters "Name=name,Values=al2023-ami-2023.*-kernel-*-$(architecture "$instance_type")" Name=state,Values=available \
    --query "sort_by(Images, &CreationDate)[-1].ImageId" \
    --output text)
  [[ $found == ami-* ]] ||
    die 1 "These credentials may see no image of Amazon Linux 2023 in $region. They need ssm:GetParameter or ec2:DescribeImages."
  say "$found"
}

# user_data: the script of the first boot. It contains no key and no secret.
user_data() {
  local setting
  say '#!/usr/bin/env bash'
  say "export AWS_REGION=$region AWS_DEFAULT_REGION=$region MACHINE_BUCKET=$bucket MACHINE_ACCOUNT=$account COURIER_BUCKET=$bucket"
  $fleet && say "export COURIER_SCALING_GROUP=$name-workers"
  for setting in $(compgen -e | grep '^COURIER_[A-Z_]*$' || true); do
    case $setting in
      COURIER_BUCKET | COURIER_SCALING_GROUP | COURIER_INSTANCE_ID) ;;
      *) printf 'export %s=%q\n' "$setting" "${!setting}" ;;
    esac
  done
  grep -v '^ *#' "$here/setup/on_instance/bootstrap.sh"
}

write_user_data() {
  local size
  user_data >"$scratch/user-data"
  size=$(wc -c <"$scratch/user-data")
  ((size <= max_user_data)) || die 1 "The user data has $size bytes; EC2 accepts $max_user_data. Set fewer COURIER_ variables."
}

make_machine() {
  local found id state rest
  found=$(find_instance "$alive")
  if [[ -z $found ]]; then
    launch
    return
  fi
  while read -r id state rest; do settle_machine "$id" "$state" "$rest"; done <<<"$found"
  # Otherwise prove does it, after the boot.
  ! $dry || limit_bursts
}

settle_machine() { # id, state, "address type tokens key"
  local kind tokens key
  read -r _ kind tokens key <<<"$3"
  $no_ssh || [[ ${key:--} != - ]] ||
    say "instance $1 was launched without a key, and a key cannot be added: for SSH, ./aws_setup.sh down, then up"
  [[ $kind == "$instance_type" ]] ||
    say "instance $1 stays a $kind, not a $instance_type. To change it: ./aws_setup.sh down, then up --type $instance_type"
  [[ $tokens == required ]] || aws_apply ec2 modify-instance-metadata-options --instance-id "$1" --http-tokens required
  case $2 in
    running | pending) say "instance $1 is running" ;;
    *) aws_apply ec2 start-instances --instance-ids "$1" ;;
  esac
}

# client_token: with the same one, a call made again after a lost response launches no second instance.
client_token() { printf '%s-%s-%s%s\n' "$name" "$(date +%s)" "$RANDOM" "$RANDOM"; }

launch() {
  local image group options=()
  image=$(image_id)
  group=$(made_group)
  write_user_data
  $no_ssh || options+=(--key-name "$(key_name)")
  ! is_burstable "$instance_type" || options+=(--credit-specification "CpuCredits=$(credits_of_boot)")
  aws_apply ec2 run-instances \
    --image-id "$image" \
    --instance-type "$instance_type" \
    --security-group-ids "$group" \
    --associate-public-ip-address \
    --iam-instance-profile "Name=$(profile_name)" \
    --metadata-options HttpTokens=required,HttpEndpoint=enabled,HttpPutResponseHopLimit=1 \
    --block-device-mappings 'DeviceName=/dev/xvda,Ebs={VolumeType=gp3,VolumeSize=8,Encrypted=true,DeleteOnTermination=true}' \
    --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=$name-worker},{Key=courier,Value=$name}]" \
    "ResourceType=volume,Tags=[{Key=courier,Value=$name}]" \
    --user-data "file://$scratch/user-data" \
    --client-token "$(client_token)" \
    --query "Instances[0].InstanceId" \
    --output text \
    ${options[@]+"${options[@]}"}
  made_id=$response
}

# await_machine: wait until it is running, and show its address.
await_machine() {
  local id there address
  ! $dry || return 0
  # A new instance may not be found by its tag yet.
  id=$made_id
  [[ -n $id ]] || id=$(find_instance "$alive" | awk 'NR == 1 { print $1 }')
  [[ -n $id ]] || die 1 "The instance has been terminated. The reason is in the console: EC2, Instances. Then run: ./aws_setup.sh up"
  aws_require ec2 wait instance-running --instance-ids "$id"
  there=$(find_instance running)
  address=$(awk -v id="$id" '$1 == id && $3 != "-" { print " at " $3 }' <<<"$there")
  say "instance $id is running$address"
}

# each_instance STATES CALL VERB: make the call for all instances of this set-up in these states.
each_instance() {
  local ids
  ids=$(find_instance "$1" | cut -f 1 | tr '\n' ' ')
  # shellcheck disable=SC2086
  if [[ -n ${ids// /} ]]; then aws_apply ec2 "$2" --instance-ids $ids; else say "no instance to $3"; fi
}

remove_machine() {
  local ids
  ids=$(find_instance "$alive,shutting-down" | cut -f 1 | tr '\n' ' ')
  [[ -n ${ids// /} ]] || return 0
  # shellcheck disable=SC2086
  aws_apply ec2 terminate-instances --instance-ids $ids
  # shellcheck disable=SC2086
  $dry || aws_require ec2 wait instance-terminated --instance-ids $ids
}

# on_instance COMMAND: run it on the instance, in this terminal; without a command, open a shell.
on_instance() {
  local there id address
  if $no_ssh; then
    id=$(find_instance running | awk 'NR == 1 { print $1 }')
    [[ -n $id ]] || die 1 "No instance of $name is running. Start it: ./aws_setup.sh start"
    command -v session-manager-plugin >/dev/null ||
      die 2 "Session Manager needs its plugin: https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html"
    # The user of Session Manager cannot see the tmux sessions.
    set -- --document-name AWS-StartInteractiveCommand --parameters "command=[\"sudo -iu ec2-user $1\"]"
    aws ssm start-session --target "$id" --region "$region" ${profile:+--profile "$profile"} "$@"
    return
  fi
  there=$(find_instance running)
  read -r id _ address _ <<<"$there"
  [[ -n $address && $address != - ]] || die 1 "No instance of $name is running. Start it: ./aws_setup.sh start (or up, if there is none)"
  [[ -f $(key_file) ]] || die 2 "The key $(key_file) is not there. Name it with --key (in a Learner Lab: labsuser.pem, under AWS Details)."
  open_ssh "$id" "$address" "$1"
}

open_ssh() { # id, address, command
  local status=0 options=(-o IdentitiesOnly=yes -o StrictHostKeyChecking=accept-new)
  # A group that does not allow this address answers nothing at all, and ssh by itself tries for minutes.
  options+=(-o "ConnectTimeout=$connect_seconds" -o ServerAliveInterval=15)
  # The address changes with each start, and is another machine's afterwards: the host key is known by the instance.
  options+=(-o "HostKeyAlias=$1")
  ssh -i "$(key_file)" ${options[@]+"${options[@]}"} -t "ec2-user@$2" ${3:+"$3"} || status=$?
  # ssh's own errors; any other status is the command's.
  ((status != 255)) ||
    warn "SSH has no connection to $1 at $2. If your address has changed: ./aws_setup.sh allow-me$(own_flags). If that was not it, look at what it wrote to its console: aws ec2 get-console-output --latest --region $region${profile:+ --profile $profile} --instance-id $1"
  return "$status"
}

# log_command: what shows the first boot's log and follows the workers'.
log_command() {
  say "sudo journalctl --no-pager --lines 50 --unit courier-first-boot --unit courier-update; sudo tail -n 50 -F /var/log/courier/numbers_worker.py.log /var/log/courier/images_worker.py.log"
}

stop_machine() {
  reject_for_fleet
  each_instance pending,running stop-instances stop
}

reject_for_fleet() {
  local there
  there=$(find_scaling_group)
  [[ -z $there ]] ||
    die 1 "The instances belong to an Auto Scaling group, which starts and terminates them. To remove all: ./aws_setup.sh down"
}

start_machine() {
  reject_for_fleet
  each_instance stopping,stopped start-instances start
  local ids
  ids=$(find_instance pending | cut -f 1 | tr '\n' ' ')
  # shellcheck disable=SC2086
  [[ -z ${ids// /} ]] || aws_require ec2 wait instance-running --instance-ids $ids
  find_instance running | awk '{ print "instance " $1 " " $2 ", " $3 }'
}
