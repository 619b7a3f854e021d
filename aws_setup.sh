#!/usr/bin/env bash
#
# aws_setup.sh: create, show and remove what the two applications need on AWS.
#
# usage: ./aws_setup.sh [VERB] [--region NAME] [--profile NAME] [--yes]
#
# verbs:
#   up       everything below (the default)
#   queues   requestQueue, responseQueue, imageInbox and imageOutbox, from create-queue.json, and a
#            dead-letter queue for each of the two that workers serve: requestQueue-dead, imageInbox-dead
#   bucket   the bucket for pictures and long lists: no public access, old objects expire
#   status   what exists, and how many messages wait
#   down     remove the queues and the bucket with all that is in it, after asking
#
# options:
#   --region NAME    instead of the region that AWS's configuration names
#   --profile NAME   instead of the profile that AWS_PROFILE names
#   --yes            do not ask before removing
#   --help           this text
#
# settings (environment): AWS_ENDPOINT_URL reaches another AWS, a local one say. COURIER_REQUEST_QUEUE,
# COURIER_RESPONSE_QUEUE, COURIER_IMAGE_INBOX, COURIER_IMAGE_OUTBOX and COURIER_BUCKET rename things;
# COURIER_MAX_DELIVERIES (5) says how often a request is delivered before it is a dead letter.
#
# Running it again changes nothing that is as it should be. Every command that changes something is shown
# before it runs.
#
# exit status: 0 done; 1 AWS refused something; 2 wrong usage; 4 AWS not reachable, no keys or no region

set -o errexit -o nounset -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly attributes_file="$here/create-queue.json"
readonly expire_days=30
# A list lies in the bucket while it is worked on; what a crashed client leaves is gone the day after.
readonly list_days=1
# The longest SQS knows, 14 days: a dead letter keeps the age it had.
readonly dead_seconds=1209600
readonly max_deliveries=${COURIER_MAX_DELIVERIES:-5}

region=""
profile=""
yes=false
account=""
known_urls=""
begun=()
served_names=("${COURIER_REQUEST_QUEUE:-requestQueue}" "${COURIER_IMAGE_INBOX:-imageInbox}")
queue_names=(
  "${served_names[0]}"
  "${COURIER_RESPONSE_QUEUE:-responseQueue}"
  "${served_names[1]}"
  "${COURIER_IMAGE_OUTBOX:-imageOutbox}"
)
dead_names=("${served_names[@]/%/-dead}")

say() { printf '%s\n' "$*"; }

# die STATUS MESSAGE...
die() {
  local status=$1
  shift
  printf 'aws_setup.sh: %s\n' "$*" >&2
  exit "$status"
}

help() { awk 'NR > 2 && /^#/ { sub(/^# ?/, ""); print; next } NR > 2 { exit }' "${BASH_SOURCE[0]}"; }

# Call the AWS CLI, quietly. The endpoint goes with every call: version 1 of the CLI ignores
# AWS_ENDPOINT_URL for SQS and would reach the real AWS.
ask() {
  local where=(--region "$region")
  [[ -z ${AWS_ENDPOINT_URL:-} ]] || where+=(--endpoint-url "$AWS_ENDPOINT_URL")
  [[ -z $profile ]] || where+=(--profile "$profile")
  AWS_PAGER="" command aws "$@" "${where[@]}" </dev/null
}

# Show a command that changes something, and run it.
change() {
  say "+ aws$(printf ' %q' "$@")"
  need "$@" >/dev/null
}

# Call the AWS CLI; a failure ends the script in our words.
need() {
  local errors
  # What the CLI warns of on stderr must not become part of its answer.
  { errors=$(ask "$@" 2>&1 >&3) || explain "$errors"; } 3>&1
}

# explain MESSAGE: end with what an AWS error means for the user.
explain() {
  case $1 in
    *ExpiredToken* | *InvalidClientTokenId* | *SignatureDoesNotMatch* | *InvalidAccessKeyId*)
      die 4 "AWS refuses these keys. Paste fresh ones into ~/.aws/credentials, or run: aws configure"
      ;;
    *"Unable to locate credentials"*)
      die 4 "There are no AWS keys. Paste them into ~/.aws/credentials, or run: aws configure"
      ;;
    *"Could not connect"* | *"Connection was closed"* | *"timed out"*)
      die 4 "AWS cannot be reached${AWS_ENDPOINT_URL:+ at $AWS_ENDPOINT_URL}. See that the network is up and the endpoint right."
      ;;
    *) die 1 "AWS said: $(awk '{ $1 = $1; printf "%s%s", separator, $0; separator = " " }' <<<"${1#$'\n'}")" ;;
  esac
}

# Find the region and the account, and so whether AWS can be reached with these keys at all.
connect() {
  command -v aws >/dev/null || die 2 "The AWS CLI is not installed. Install it with: pip install awscli"
  region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-$(configured_region)}}}
  [[ -n $region ]] || die 4 "AWS's configuration names no region. Use --region us-east-1, or run: aws configure"
  account=$(need sts get-caller-identity \
    --query Account \
    --output text)
}

configured_region() { command aws configure get region ${profile:+--profile "$profile"} || true; }

bucket_name() { say "${COURIER_BUCKET:-lab3-$account-$region}"; }

# Look all queues up at once, for queue_url.
find_queues() {
  known_urls=$(need sqs list-queues \
    --query "QueueUrls[]" \
    --output text)
}

# queue_url NAME: its URL, or nothing if there is no such queue.
queue_url() { tr '\t' '\n' <<<"$known_urls" | grep "/$1\$" || true; }

make_queues() {
  local name
  find_queues
  for name in "${queue_names[@]}"; do begin make_queue "$name" "file://$attributes_file"; done
  for name in "${dead_names[@]}"; do begin make_queue "$name" "MessageRetentionPeriod=$dead_seconds"; done
  finish
  find_queues
  for name in "${served_names[@]}"; do begin bury_in_dead_letter_queue "$name"; done
  finish
}

# begin COMMAND...: run it beside others, since the CLI takes most of a second to start.
begin() {
  "$@" &
  begun+=($!)
}

# finish: wait for all that was begun, and end with the first failure's status.
finish() {
  local pid
  for pid in "${begun[@]}"; do wait "$pid" || exit $?; done
  begun=()
}

# make_queue NAME ATTRIBUTES: create it, or bring what exists in line.
make_queue() {
  local url
  url=$(queue_url "$1")
  if [[ -n $url ]]; then
    say "queue $1 exists"
    change sqs set-queue-attributes \
      --queue-url "$url" \
      --attributes "$2"
  else
    change sqs create-queue \
      --queue-name "$1" \
      --attributes "$2"
  fi
}

bury_in_dead_letter_queue() {
  local policy
  policy=$(printf '{\\"deadLetterTargetArn\\":\\"arn:aws:sqs:%s:%s:%s-dead\\",\\"maxReceiveCount\\":\\"%s\\"}' \
    "$region" "$account" "$1" "$max_deliveries")
  change sqs set-queue-attributes \
    --queue-url "$(queue_url "$1")" \
    --attributes "{\"RedrivePolicy\": \"$policy\"}"
}

# Whether the bucket is there; ends with a sentence if its name is somebody else's.
bucket_exists() {
  local answer
  answer=$(ask s3api head-bucket --bucket "$1" 2>&1) && return 0
  case $answer in
    *404* | *"Not Found"*) return 1 ;;
    *403* | *Forbidden*) die 1 "The bucket $1 is somebody else's. Choose another name in COURIER_BUCKET." ;;
    *) explain "$answer" ;;
  esac
}

make_bucket() {
  local name
  name=$(bucket_name)
  if bucket_exists "$name"; then
    say "bucket $name exists"
  elif [[ $region == us-east-1 ]]; then
    # The one region that must not be named as a location.
    change s3api create-bucket --bucket "$name"
  else
    change s3api create-bucket \
      --bucket "$name" \
      --create-bucket-configuration "LocationConstraint=$region"
  fi
  change s3api put-public-access-block \
    --bucket "$name" \
    --public-access-block-configuration \
    BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
  change s3api put-bucket-lifecycle-configuration \
    --bucket "$name" \
    --lifecycle-configuration "$(lifecycle)"
}

lifecycle() {
  printf '{"Rules": [%s, %s]}' "$(expiry images "$expire_days")" "$(expiry numbers "$list_days")"
}

expiry() { # prefix, days
  printf '{"ID": "expire-%s", "Status": "Enabled", "Filter": {"Prefix": "%s/"}, ' "$1" "$1"
  printf '"Expiration": {"Days": %d}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}' "$2"
}

show_status() {
  local name url depths
  find_queues
  say "account $account, region $region${AWS_ENDPOINT_URL:+, endpoint $AWS_ENDPOINT_URL}"
  for name in "${queue_names[@]}" "${dead_names[@]}"; do
    url=$(queue_url "$name")
    if [[ -z $url ]]; then
      say "queue  $name  missing"
      continue
    fi
    depths=$(need sqs get-queue-attributes \
      --queue-url "$url" \
      --attribute-names ApproximateNumberOfMessages ApproximateNumberOfMessagesNotVisible \
      --query "Attributes.[ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible]" \
      --output text)
    say "queue  $name  $(awk '{ print $1 " waiting, " $2 " in hand" }' <<<"$depths")"
  done
  name=$(bucket_name)
  if bucket_exists "$name"; then say "bucket $name  exists"; else say "bucket $name  missing"; fi
}

confirm_removal() {
  $yes && return
  say "This removes the queues ${queue_names[*]} ${dead_names[*]} and the bucket $(bucket_name), with all that is in them."
  [[ -t 0 ]] || die 2 "Nobody is there to ask. Add --yes to remove without being asked."
  local answer
  read -r -p "Remove them? [y/N] " answer || true
  [[ $answer == [yY] || $answer == [yY]es ]] || die 0 "Nothing was removed."
}

remove_all() {
  local name url
  confirm_removal
  find_queues
  for name in "${queue_names[@]}" "${dead_names[@]}"; do
    url=$(queue_url "$name")
    if [[ -z $url ]]; then say "queue $name is not there"; else change sqs delete-queue --queue-url "$url"; fi
  done
  name=$(bucket_name)
  if bucket_exists "$name"; then change s3 rb "s3://$name" --force; else say "bucket $name is not there"; fi
}

# Sets the variable `verb` of main.
parse_arguments() {
  while (($#)); do
    case $1 in
      --region | --profile)
        [[ -n ${2:-} ]] || die 2 "$1 needs a value. See --help."
        printf -v "${1#--}" '%s' "$2"
        shift
        ;;
      --yes) yes=true ;;
      -h | --help)
        help
        exit 0
        ;;
      -*) die 2 "There is no option $1. See --help." ;;
      *)
        [[ -z $verb ]] || die 2 "One verb at a time: $verb or $1. See --help."
        verb=$1
        ;;
    esac
    shift
  done
}

main() {
  local verb=""
  parse_arguments "$@"
  case ${verb:=up} in
    up | queues | bucket | status | down) connect ;;
    *) die 2 "There is no verb $verb. Use up, queues, bucket, status or down; see --help." ;;
  esac
  case $verb in
    up)
      make_queues
      make_bucket
      ;;
    queues) make_queues ;;
    bucket) make_bucket ;;
    status) show_status ;;
    down) remove_all ;;
  esac
}

main "$@"
