# shellcheck shell=bash
# verbs.sh: what one does with a set-up: up, plan, ssh, logs, start, stop, cost, down, sweep.

make_everything() {
  begin make_queues
  begin make_bucket
  if $with_ec2; then
    begin make_roles
    begin make_group
    $no_ssh || begin make_key
  fi
  finish
  $with_ec2 || return 0
  put_code
  keep_fleet
  if $fleet; then make_fleet; else make_machine; fi
}

up() {
  make_everything
  if ! $with_ec2; then
    say "Queues and bucket are ready; $(count_changes) changes were made. Start the workers where you like, then: python numbers_client.py"
    return
  fi
  $fleet || await_machine
  say "$(count_changes) changes were made."
  prove
  next_commands
}

# next_commands: what to type now, with the options and variables that this set-up needs.
next_commands() {
  local flags="" variables="" one
  [[ $name == lab3 ]] || flags+=" --name $name"
  [[ -z $given_region ]] || flags+=" --region $given_region" variables+="AWS_REGION=$given_region "
  [[ -z $profile ]] || flags+=" --profile $profile" variables+="AWS_PROFILE=$profile "
  [[ $name == lab3 || -n ${COURIER_BUCKET:-} ]] || variables+="COURIER_BUCKET=$bucket "
  for one in numbers images; do say "  ${variables}python ${one}_client.py"; done
  say "  ./aws_setup.sh ssh$flags       then: tmux attach -t server-lab3"
  say "  ./aws_setup.sh status$flags"
  say "  ./aws_setup.sh stop$flags      when you pause; it costs less"
  say "  ./aws_setup.sh down$flags      when you are done"
}

plan() {
  dry=true
  make_everything >"$scratch/plan"
  if $as_json; then
    printf '{"changes": %d, "commands": [%s]}\n' "$(count_changes)" "$(sed -n 's/^would run: //p' "$scratch/plan" | json_strings)"
    return
  fi
  cat "$scratch/plan"
  say "up would make $(count_changes) changes; nothing was changed."
}

# json_strings: the lines of stdin as JSON strings with commas between them.
json_strings() { sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/"&"/' | paste -s -d , -; }

# prove: one real job through each application, timed.
prove() {
  local python folder
  ((proof_seconds > 0)) || return 0
  python=$(find_python) || {
    say "The clients need Python with boto3, so nothing was tried. Run ./run_local.sh setup once, then: .venv/bin/python numbers_client.py check"
    return
  }
  folder=$(mktemp -d "$scratch/proof.XXXXXX")
  say "Waiting for the workers, up to $proof_seconds s: a new machine takes two or three minutes."
  try_out numbers "$python" "$here/numbers_client.py" send "1, 5, 22" --json --timeout "$proof_seconds"
  try_out images "$python" "$here/images_client.py" run --to "$folder" --replace --json --timeout "$proof_seconds"
}

try_out() { # application, command
  local started=$SECONDS application=$1
  shift
  if use_account "$@" >"$scratch/$application" 2>&1; then
    say "proof: $application answered after $((SECONDS - started)) s: $(head -n 1 "$scratch/$application" | cut -c 1-100)"
  else
    die 1 "The $application worker did not answer: $(tail -n 1 "$scratch/$application") See what it does: ./aws_setup.sh logs, or ./aws_setup.sh doctor"
  fi
}

# use_account COMMAND...: run a client with this set-up's region, profile and bucket.
use_account() {
  local drop=()
  # Keys in the environment would win over a profile.
  [[ -z $profile ]] || drop=(-u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_SESSION_TOKEN)
  env ${drop[@]+"${drop[@]}"} AWS_REGION="$region" AWS_DEFAULT_REGION="$region" COURIER_BUCKET="$bucket" ${profile:+AWS_PROFILE="$profile"} "$@"
}

find_python() {
  local candidate
  for candidate in "$here/.venv/bin/python" python3 python; do
    if "$candidate" -c 'from importlib.util import find_spec; exit(not all(map(find_spec, ("boto3", "numpy", "PIL", "rich"))))' 2>/dev/null; then
      say "$candidate"
      return
    fi
  done
  return 1
}

# --- the machine ---

address_of_machine() {
  local address
  address=$(find_instance running | head -n 1 | cut -f 3)
  [[ -n $address && $address != - ]] || die 1 "No instance of $name runs. Start it: ./aws_setup.sh start (or up, if there is none)"
  say "$address"
}

# on_machine COMMAND: run it there, in this terminal; without one, a shell.
on_machine() {
  local id address
  if $no_ssh; then
    id=$(find_instance running | head -n 1 | cut -f 1)
    [[ -n $id ]] || die 1 "No instance of $name runs. Start it: ./aws_setup.sh start"
    command -v session-manager-plugin >/dev/null ||
      die 2 "Session Manager needs its plugin: https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html"
    # Session Manager's own user would not see the sessions.
    set -- --document-name AWS-StartInteractiveCommand --parameters "command=[\"sudo -iu ec2-user $1\"]"
    aws ssm start-session --target "$id" --region "$region" ${profile:+--profile "$profile"} "$@"
    return
  fi
  address=$(address_of_machine)
  [[ -f $(key_file) ]] || die 2 "The key $(key_file) is not there. Name it with --key (in a Learner Lab: labsuser.pem, under AWS Details)."
  ssh -i "$(key_file)" -o IdentitiesOnly=yes -o StrictHostKeyChecking=accept-new -t "ec2-user@$address" ${1:+"$1"}
}

stop_machine() {
  refuse_for_fleet
  each_instance pending,running stop-instances stop
}

refuse_for_fleet() {
  local there
  there=$(find_scaling_group)
  [[ -z $there ]] ||
    die 1 "The machines are those of an Auto Scaling group, which starts and ends them by itself. To have none: ./aws_setup.sh down"
}

start_machine() {
  refuse_for_fleet
  each_instance stopping,stopped start-instances start
  local ids
  ids=$(find_instance pending | cut -f 1 | tr '\n' ' ')
  # shellcheck disable=SC2086
  [[ -z ${ids// /} ]] || need ec2 wait instance-running --instance-ids $ids
  find_instance running | awk '{ print "instance " $1 " " $2 ", " $3 }'
}

# --- cost ---

# What a month costs, as far as it is known here: list prices of us-east-1, November 2026, in dollars. https://aws.amazon.com/ec2/pricing/on-demand/
cost() {
  local hour=0.0104
  case $instance_type in
    t2.micro) hour=0.0116 ;;
    t3.micro) ;;
    t3.small) hour=0.0208 ;;
    t3.medium) hour=0.0416 ;;
    t4g.micro) hour=0.0084 ;;
    t4g.small) hour=0.0168 ;;
    *) die 2 "The price of $instance_type is not known here. See https://aws.amazon.com/ec2/pricing/on-demand/" ;;
  esac
  awk -v hour="$hour" -v kind="$instance_type" -v json="$as_json" -v machines="${workers#*-}" -v fleet="$fleet" '
    function line(what, dollars) {
      if (json == "true") printf "{\"what\": \"%s\", \"dollars_a_month\": %.2f}\n", what, dollars
      else printf "%-58s %8.2f\n", what, dollars
      total += dollars
    }
    BEGIN {
      line(machines " x " kind ", running day and night", machines * 730 * hour)
      line("its public address, while it runs", machines * 730 * 0.005)
      line("its disk of 8 GB, running or stopped", machines * 8 * 0.08)
      line("two idle workers polling (2 x 131,400 calls)", 2 * 131400 * 0.4 / 1e6)
      # Two alarms of target tracking, each over three metrics.
      if (fleet == "true") line("the two alarms that start and end machines", 6 * 0.10)
      line("a thousand pictures (PUT, GET, LIST, queue)", 0.011)
      line("a million lists of numbers, by tens", 0.24)
      if (json != "true") {
        printf "%-58s %8.2f\n", "together", total
        print "Stopped (./aws_setup.sh stop), only the disk is paid. List prices of us-east-1; the free tier is not reckoned with."
      }
    }'
}

# --- down ---

# inventory: what there is to remove, a line each. Nothing is looked up within a condition: there, bash would go on
# after an error, and what could not be seen would count as gone.
inventory() {
  local one
  find_own_queues
  find_bucket
  for one in ${own_queues[@]+"${own_queues[@]}"}; do say "queue ${one##*/}"; done
  case $bucket_state in
    own) say "bucket $bucket, with all that is in it" ;;
    other) [[ -z $code_owner ]] || say "the workers' code in bucket $bucket, which stays" ;;
  esac
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
    say "left as it is: security group $(group_name), which bears no tag of this set-up" >&2
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
  sed 's/^/  /' "$scratch/inventory"
  agree "Remove all of it?" || die 0 "Nothing was removed."
  if $with_ec2; then
    remove_fleet
    remove_machine
    begin remove_group
    begin remove_key
    begin remove_roles
  fi
  begin remove_queues
  begin remove_bucket
  finish
  say "All of it is gone."
}

# sweep: remove reply queues that are older than any client that may still use its own.
sweep() {
  local url
  find_own_queues
  for url in ${own_queues[@]+"${own_queues[@]}"}; do
    ! is_private "$url" || begin sweep_queue "$url"
  done
  finish
}

sweep_queue() { # URL
  local made_at
  made_at=$(look sqs get-queue-attributes \
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
