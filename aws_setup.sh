#!/usr/bin/env bash
#
# aws_setup.sh: set up what the two applications need on AWS, prove that it works,
# and remove it again.
#
# usage: ./aws_setup.sh [VERB] [OPTIONS]
#
# verbs:
#   up         create everything (the default): queues, bucket, roles, network,
#              code and instance, then send a request through each application.
#              Run again, it changes nothing, or repairs what has drifted
#   plan       show what up would change, and change nothing
#   status     show what exists, how many messages are waiting, and what is wrong.
#              Needs Python and the clients' packages
#   watch      see it live, refreshed each second: queues, workers, the last
#              requests. Needs what status needs
#   down       remove everything, after a confirmation
#   queues     create requestQueue, responseQueue, imageInbox and imageOutbox from
#              create-queue.json, and a dead-letter queue for each of the two
#              request queues: requestQueue-dead, imageInbox-dead
#   bucket     create the bucket for images, long lists and code: no public
#              access, encrypted, old objects expire
#   stop       stop the instance to save money
#   start      start the instance again, and its workers with it
#   deploy     upload new code; the workers switch to it in about a minute
#   allow-me   allow SSH from this machine's current address only; use it when
#              your address has changed
#   ssh        open a shell on the instance; there, tmux attach -t server-lab3
#              (numbers), server2-lab3 (images)
#   logs       follow the workers' logs
#   policy     print a policy's JSON: policy client, or policy worker
#   doctor     find what is wrong, also with what up would repair and with the
#              workers, and say how to fix it. Needs what status needs
#   cost       estimate the cost per month; needs no credentials
#   verify     create a set-up of its own, prove there what no emulator can, and
#              remove it: about 20 minutes, at most $0.10. On an emulator, as far
#              as it goes
#   sweep      remove stale reply queues left by crashed clients
#
# options:
#   --name NAME        name of this set-up: instance, role, key and bucket
#                      (default: lab3)
#   --region NAME      use this region, not the one of the AWS configuration
#   --profile NAME     use this profile, not AWS_PROFILE
#   --type TYPE        instance type (default: t3.micro; in a Learner Lab
#                      t2.micro)
#   --workers MIN-MAX  use an Auto Scaling group of MIN to MAX instances, scaled
#                      by the number of waiting requests
#   --no-ec2           queues and bucket only; the workers run elsewhere
#   --no-ssh           use Session Manager instead of SSH. Remembered until down,
#                      or --ssh-cidr
#   --ssh-cidr CIDR    allow SSH from these addresses (default: this machine's own
#                      address)
#   --key FILE         private key file (default: ~/.ssh/NAME-key; created if
#                      missing)
#   --alarm-mail ADDR  send mail when requests wait too long, when there are dead
#                      letters, and when no worker takes requests; and make a
#                      dashboard. Remembered until down
#   --only CHECKS      verify: these checks, separated by commas, and those that
#                      they need
#   --long             verify: also scale out and in, and poll for an hour: two
#                      hours, at most $0.20
#   --no-purge         policy client: without the permission to delete everybody's
#                      requests, for students
#   --yes              remove, or verify, without a confirmation
#   --once             watch: print the state once, one fact a line
#   --json             print plan, status, watch, doctor, cost and verify as JSON
#   --help             show this text
#
# settings (environment): AWS_ENDPOINT_URL selects another endpoint, such as a
# local AWS. COURIER_REQUEST_QUEUE, COURIER_RESPONSE_QUEUE, COURIER_IMAGE_INBOX,
# COURIER_IMAGE_OUTBOX and COURIER_BUCKET rename the resources;
# COURIER_MAX_DELIVERIES (5) is the delivery at which a request moves to the
# dead-letter queue. The other COURIER_ settings of the workers are copied to the
# instance when it is created. SETUP_PROOF (900) is how many seconds up waits for
# the two responses; 0 skips this check.
#
# No state is kept on this machine: every resource is found by name and tag. Every
# command that changes something is shown before it runs.
#
# exit status: 0 done; 1 AWS rejected a call, or something is wrong; 2 wrong
# usage, or the output cannot be written; 4 AWS not reachable, no credentials or
# no region

set -o errexit -o nounset -o pipefail
# With a bash that has it (macOS's does not), an error inside $( ) ends the script as well.
shopt -s inherit_errexit 2>/dev/null || true

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
# run_local.sh has its own name in what is said to its users.
readonly script_name=${SETUP_PROGRAM:-aws_setup.sh}
readonly attributes_file="$here/create-queue.json"
readonly expire_days=30
# A list is in the bucket only while it is processed; one left by a crashed client expires the next day.
readonly list_days=1
# The longest retention of SQS, 14 days: a message in a dead-letter queue keeps its age.
readonly dead_seconds=1209600
readonly max_deliveries=${COURIER_MAX_DELIVERIES:-5}
# A deleted queue's name is blocked for 60 s; a new instance profile is visible everywhere sooner than that.
readonly retry_seconds=${SETUP_RETRY_SECONDS:-90}
readonly pause_seconds=${SETUP_PAUSE:-5}
readonly proof_seconds=${SETUP_PROOF:-900}
readonly most_machines_of_lab=9
readonly most_lanes=16
# A reply queue older than this belongs to no running client.
readonly sweep_seconds=21600

name=lab3
region=""
given_region=""
given_type=""
profile=""
instance_type=""
workers=1
ssh_cidr=""
key_path=""
alarm_mail=""
only=""
long=false
once=false
yes=false
as_json=false
no_ssh=false
no_purge=false
with_ec2=true
dry=false
fleet=false
is_lab=false
account=""
partition=aws
bucket=""
known_urls=""
own_queues=()
bucket_state=""
bucket_owner=""
code_owner=""
known_group=""
known_ssh=""
known_group_owner=""
response=""
made_id=""
is_new_group=false
begun=()
lanes=()
served_names=("${COURIER_REQUEST_QUEUE:-requestQueue}" "${COURIER_IMAGE_INBOX:-imageInbox}")
queue_names=(
  "${served_names[0]}"
  "${COURIER_RESPONSE_QUEUE:-responseQueue}"
  "${served_names[1]}"
  "${COURIER_IMAGE_OUTBOX:-imageOutbox}"
)
dead_names=("${served_names[@]/%/-dead}")

# shellcheck source=setup/common.sh
. "$here/setup/common.sh"
# shellcheck source=setup/queues.sh
. "$here/setup/queues.sh"
# shellcheck source=setup/bucket.sh
. "$here/setup/bucket.sh"
# shellcheck source=setup/roles.sh
. "$here/setup/roles.sh"
# shellcheck source=setup/network.sh
. "$here/setup/network.sh"
# shellcheck source=setup/deploy.sh
. "$here/setup/deploy.sh"
# shellcheck source=setup/instance.sh
. "$here/setup/instance.sh"
# shellcheck source=setup/autoscaling.sh
. "$here/setup/autoscaling.sh"
# shellcheck source=setup/status.sh
. "$here/setup/status.sh"
# shellcheck source=setup/alarms.sh
. "$here/setup/alarms.sh"
# shellcheck source=setup/up.sh
. "$here/setup/up.sh"
# shellcheck source=setup/proof.sh
. "$here/setup/proof.sh"
# shellcheck source=setup/cost.sh
. "$here/setup/cost.sh"
# shellcheck source=setup/teardown.sh
. "$here/setup/teardown.sh"
# shellcheck source=setup/verify.sh
. "$here/setup/verify.sh"

readonly verbs=(
  up plan status watch down queues bucket stop start deploy allow-me ssh logs policy doctor cost verify sweep
)
readonly known_options=(
  --name --region --profile --type --workers --no-ec2 --no-ssh --ssh-cidr --key --alarm-mail --only --long --no-purge --yes
  --once --json --help
)

# Sets the variables `verb` and `subject` of main, and uses `all_verbs`.
parse_arguments() {
  local near
  while (($#)); do
    case $1 in
      --name | --region | --profile | --type | --workers | --ssh-cidr | --key | --alarm-mail | --only)
        [[ -n ${2:-} ]] || die 2 "$1 needs a value. See --help."
        take_value "$1" "$2"
        shift
        ;;
      --no-ec2) with_ec2=false ;;
      --no-ssh) no_ssh=true ;;
      --no-purge) no_purge=true ;;
      --long) long=true ;;
      --once) once=true ;;
      --yes) yes=true ;;
      --json) as_json=true ;;
      -h | --help)
        help
        exit 0
        ;;
      -*)
        near=$(did_you_mean "$1" "${known_options[@]}")
        die 2 "There is no option $1.$near See --help."
        ;;
      *) take_word "$1" ;;
    esac
    shift
  done
}

take_value() { # option, value
  case $1 in
    --type) instance_type=$2 ;;
    --key) key_path=$2 ;;
    --ssh-cidr) ssh_cidr=$2 ;;
    --alarm-mail) alarm_mail=$2 ;;
    *) printf -v "${1#--}" '%s' "$2" ;;
  esac
}

take_word() {
  # An empty variable of a script must not become up.
  [[ -n $1 ]] || die 2 "There is an empty word. Use $all_verbs; see --help."
  if [[ -z $verb ]]; then
    verb=$1
  elif [[ $verb == policy && -z $subject ]]; then
    subject=$1
  else
    die 2 "One verb at a time: $verb or $1. See --help."
  fi
}

check_options() { # verb
  [[ $name =~ ^[a-z][a-z0-9-]{0,19}$ ]] || die 2 "--name is '$name', and must be up to 20 lowercase letters, digits and dashes."
  [[ $workers =~ ^[1-9][0-9]{0,2}(-[1-9][0-9]{0,2})?$ ]] && ((${workers%-*} <= ${workers#*-})) ||
    die 2 "--workers is '$workers', and must be MIN-MAX with a minimum of at least 1: a group without instances cannot scale out."
  if [[ $workers == *-* ]]; then fleet=true; else workers="$workers-$workers"; fi
  [[ $workers == 1-1 ]] || fleet=true
  check_alarm_mail
  [[ $1 == verify ]] || { [[ -z $only ]] && ! $long; } || die 2 "--only and --long are options of verify."
  [[ $1 == watch ]] || ! $once || die 2 "--once is an option of watch."
  case $1 in
    plan | status | watch | doctor | cost | verify) ;;
    *) ! $as_json || die 2 "--json is an option of plan, status, watch, doctor, cost and verify." ;;
  esac
}

# set_defaults: what depends on the account.
set_defaults() {
  name_bucket
  choose_type
}

choose_type() {
  given_type=$instance_type
  instance_type=${instance_type:-$(default_type)}
  if $is_lab && ((${workers#*-} > most_machines_of_lab)); then
    die 2 "A Learner Lab has at most $most_machines_of_lab instances, and closes the account at 20. Use --workers 1-$most_machines_of_lab or fewer."
  fi
}

allow_me() {
  find_ssh_cidr allow-me
  reject_foreign_group
  [[ -n $known_group ]] || die 1 "There is no security group $(group_name). Make it: ./aws_setup.sh up"
  ! $no_ssh || die 1 "This set-up was made without SSH, and its instance has no key. To allow SSH: ./aws_setup.sh down, then up --ssh-cidr ADDRESS/32"
  remember_ssh
  settle_rules "$known_group" "$known_group"
  say "SSH is open to ${ssh_cidr:-nobody}."
}

# run_verb VERB SUBJECT
run_verb() {
  case $1 in
    up | plan)
      ! $with_ec2 || find_ssh_cidr "$1"
      "$1"
      ;;
    queues) make_queues ;;
    bucket) make_bucket ;;
    down) remove_all ;;
    start) start_machine ;;
    stop) stop_machine ;;
    deploy) put_code ;;
    allow-me) allow_me ;;
    ssh)
      find_group
      on_instance ""
      ;;
    logs)
      find_group
      on_instance "$(log_command)"
      ;;
    policy) printed_policy "$2" | pass ;;
    sweep) sweep ;;
  esac
}

make_scratch() {
  scratch=$(mktemp -d)
  readonly scratch
  trap 'rm -rf "$scratch"' EXIT
  : >"$scratch/changes"
}

main() {
  local verb="" subject="" near all_verbs
  all_verbs=$(one_of "${verbs[@]}")
  parse_arguments "$@"
  case ${verb:=up} in
    up | plan | status | watch | down | queues | bucket | stop | start | deploy | allow-me | ssh | logs | doctor | cost | verify | sweep) ;;
    policy) [[ $subject == client || $subject == worker ]] || die 2 "Whose policy? Use: policy client, or policy worker" ;;
    *)
      near=$(did_you_mean "$verb" "${verbs[@]}")
      die 2 "There is no verb $verb.$near Use $all_verbs; see --help."
      ;;
  esac
  check_options "$verb"
  ! $no_purge || [[ $verb-$subject == policy-client ]] || die 2 "--no-purge is for policy client only: make a policy of what that prints."
  [[ $verb != verify ]] || verify
  given_region=$region
  # These need no AWS CLI.
  [[ $verb != watch ]] || watch_live
  if [[ $verb == status || $verb == doctor ]]; then
    make_scratch
    report "$verb"
    return
  fi
  if [[ $verb == cost ]]; then
    estimate
    return
  fi
  connect
  make_scratch
  set_defaults
  run_verb "$verb" "$subject"
}

main "$@"
