#!/usr/bin/env bash
#
# aws_setup.sh: sets up on AWS what the two applications need, proves that it works, and takes it down again.
#
# usage: ./aws_setup.sh [VERB] [OPTIONS]
#
# verbs:
#   up         everything (the default): queues, bucket, roles, network, code and machine, then a job through
#              each application. Again, it changes nothing, or heals what has drifted
#   plan       say what up would change, and change nothing
#   status     what exists, and how many messages wait
#   down       remove all of it, after asking
#   queues     requestQueue, responseQueue, imageInbox and imageOutbox, from create-queue.json, and a
#              dead-letter queue for each of the two that workers serve: requestQueue-dead, imageInbox-dead
#   bucket     the bucket for pictures, long lists and code: no public access, encrypted, old objects expire
#   stop       stop the instance, for the budget; start starts it again, and its workers with it
#   start
#   deploy     bring new code to the workers, which take it within a minute
#   allow-me   let this machine's address in by SSH, and no other: for when your address has changed
#   ssh        a shell on the machine; there, tmux attach -t server-lab3 (numbers), server2-lab3 (images)
#   logs       follow the workers' logs
#   policy     print a policy's JSON: policy client, or policy worker
#   doctor     find what is wrong, and name the cure
#   cost       what it costs a month
#   sweep      remove reply queues that clients have left
#
# options:
#   --name NAME        instead of lab3: whose machine, role, key and bucket it is
#   --region NAME      instead of the region that AWS's configuration names
#   --profile NAME     instead of the profile that AWS_PROFILE names
#   --type TYPE        of the instance (t3.micro; in a Learner Lab t2.micro)
#   --workers MIN-MAX  an Auto Scaling group of so many machines, by what waits in the queues
#   --no-ec2           queues and bucket only: workers run elsewhere
#   --no-ssh           no SSH at all: Session Manager instead. Remembered until down, or --ssh-cidr
#   --ssh-cidr CIDR    who may come in by SSH, instead of this machine's own address
#   --key FILE         the private key (~/.ssh/NAME-key; made if it is not there)
#   --yes              do not ask before removing
#   --json             plan, status and cost in JSON
#   --help             this text
#
# settings (environment): AWS_ENDPOINT_URL reaches another AWS, a local one say. COURIER_REQUEST_QUEUE,
# COURIER_RESPONSE_QUEUE, COURIER_IMAGE_INBOX, COURIER_IMAGE_OUTBOX and COURIER_BUCKET rename things;
# COURIER_MAX_DELIVERIES (5) says how often a request is delivered before it is a dead letter. The other
# COURIER_ settings of the workers reach the machine when it is made. SETUP_PROOF (420) says how many seconds
# up waits for the two jobs' answers; with 0 it makes none.
#
# Nothing is kept here about what was made: all of it is found by name and tag. Every command that changes
# something is shown before it runs.
#
# exit status: 0 done; 1 AWS refused something, or something is wrong; 2 wrong usage; 4 AWS not reachable, no
# keys or no region

set -o errexit -o nounset -o pipefail
# Where bash knows it (not in macOS's), an error ends what is within $( ) as well.
shopt -s inherit_errexit 2>/dev/null || true

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly attributes_file="$here/create-queue.json"
readonly expire_days=30
# A list lies in the bucket while it is worked on; what a crashed client leaves is gone the day after.
readonly list_days=1
# The longest SQS knows, 14 days: a dead letter keeps the age it had.
readonly dead_seconds=1209600
readonly max_deliveries=${COURIER_MAX_DELIVERIES:-5}
# A deleted queue's name is blocked for 60 s; a new instance profile is known everywhere sooner than that.
readonly patience_seconds=${SETUP_PATIENCE:-90}
readonly pause_seconds=${SETUP_PAUSE:-5}
readonly proof_seconds=${SETUP_PROOF:-420}
readonly most_machines_of_lab=9
readonly most_differences=12
readonly most_lanes=16
# As long as a client leaves those of others alone.
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
yes=false
as_json=false
no_ssh=false
with_ec2=true
dry=false
fleet=false
is_lab=false
account=""
bucket=""
known_urls=""
own_queues=()
bucket_state=""
bucket_owner=""
code_owner=""
known_group=""
known_ssh=""
known_group_owner=""
answer=""
made_id=""
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
# shellcheck source=setup/doctor.sh
. "$here/setup/doctor.sh"
# shellcheck source=setup/up.sh
. "$here/setup/up.sh"
# shellcheck source=setup/proof.sh
. "$here/setup/proof.sh"
# shellcheck source=setup/cost.sh
. "$here/setup/cost.sh"
# shellcheck source=setup/teardown.sh
. "$here/setup/teardown.sh"

readonly verbs="up, plan, status, down, queues, bucket, stop, start, deploy, allow-me, ssh, logs, policy, doctor, cost or sweep"

# Sets the variables `verb` and `subject` of main.
parse_arguments() {
  while (($#)); do
    case $1 in
      --name | --region | --profile | --type | --workers | --ssh-cidr | --key)
        [[ -n ${2:-} ]] || die 2 "$1 needs a value. See --help."
        take_value "$1" "$2"
        shift
        ;;
      --no-ec2) with_ec2=false ;;
      --no-ssh) no_ssh=true ;;
      --yes) yes=true ;;
      --json) as_json=true ;;
      -h | --help)
        help
        exit 0
        ;;
      -*) die 2 "There is no option $1. See --help." ;;
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
    *) printf -v "${1#--}" '%s' "$2" ;;
  esac
}

take_word() {
  if [[ -z $verb ]]; then
    verb=$1
  elif [[ $verb == policy && -z $subject ]]; then
    subject=$1
  else
    die 2 "One verb at a time: $verb or $1. See --help."
  fi
}

check_options() {
  [[ $name =~ ^[a-z][a-z0-9-]{0,19}$ ]] || die 2 "--name is '$name', and must be up to 20 small letters, digits and dashes."
  if [[ $workers == *-* ]]; then fleet=true; else workers="$workers-$workers"; fi
  [[ $workers =~ ^[0-9]{1,3}-[0-9]{1,3}$ ]] && ((${workers%-*} >= 1 && ${workers%-*} <= ${workers#*-})) ||
    die 2 "--workers is '$workers', and must be MIN-MAX with at least 1: a group that has gone to none cannot tell when it is needed."
  [[ $workers == 1-1 ]] || fleet=true
}

# What is only known once AWS has said who we are.
settle() {
  name_bucket
  given_type=$instance_type
  instance_type=${instance_type:-$(default_type)}
  if $is_lab && ((${workers#*-} > most_machines_of_lab)); then
    die 2 "A Learner Lab has at most $most_machines_of_lab instances, and closes the account at 20. Use --workers 1-$most_machines_of_lab or fewer."
  fi
}

allow_me() {
  find_ssh_cidr
  refuse_foreign_group
  [[ -n $known_group ]] || die 1 "There is no security group $(group_name). Make it: ./aws_setup.sh up"
  ! $no_ssh || die 1 "There is to be no SSH here. A machine that was made so has no key for it either; to have both: ./aws_setup.sh down, then up --ssh-cidr ADDRESS/32"
  remember_ssh
  settle_rules "$known_group"
  say "SSH is open to ${ssh_cidr:-nobody}."
}

# run_verb VERB SUBJECT
run_verb() {
  case $1 in
    up | plan | doctor)
      ! $with_ec2 || find_ssh_cidr
      "$1"
      ;;
    queues) make_queues ;;
    bucket) make_bucket ;;
    status) show_status ;;
    down) remove_all ;;
    start) start_machine ;;
    stop) stop_machine ;;
    deploy) put_code ;;
    allow-me) allow_me ;;
    ssh)
      find_group
      on_machine ""
      ;;
    logs)
      find_group
      on_machine "sudo tail -n 50 -F /var/log/cloud-init-output.log /opt/courier/logs/numbers_worker.py.log /opt/courier/logs/images_worker.py.log"
      ;;
    policy) policy_text "$2" ;;
    cost) cost ;;
    sweep) sweep ;;
  esac
}

main() {
  local verb="" subject=""
  parse_arguments "$@"
  case ${verb:=up} in
    up | plan | status | down | queues | bucket | stop | start | deploy | allow-me | ssh | logs | doctor | cost | sweep) ;;
    policy) [[ $subject == client || $subject == worker ]] || die 2 "Whose policy? Use: policy client, or policy worker" ;;
    *) die 2 "There is no verb $verb. Use $verbs; see --help." ;;
  esac
  check_options
  given_region=$region
  connect
  scratch=$(mktemp -d)
  readonly scratch
  trap 'rm -rf "$scratch"' EXIT
  : >"$scratch/changes"
  : >"$scratch/verdicts"
  settle
  run_verb "$verb" "$subject"
}

main "$@"
