#!/usr/bin/env bash
#
# aws_setup.sh: create, show and remove what the two applications need on AWS.
#
# usage: ./aws_setup.sh [VERB] [--region NAME] [--profile NAME] [--yes]
#
# verbs:
#   up       everything below (the default)
#   queues   requestQueue, responseQueue, imageInbox and imageOutbox, from create-queue.json
#   bucket   the bucket for pictures: no public access, old objects expire
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
# COURIER_RESPONSE_QUEUE, COURIER_IMAGE_INBOX, COURIER_IMAGE_OUTBOX and COURIER_BUCKET rename things.
#
# Running it again changes nothing. Every command that changes something is shown before it runs.
#
# exit status: 0 done; 1 AWS refused something; 2 wrong usage; 4 AWS not reachable, no keys or no region

set -o errexit -o nounset -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly attributes_file="$here/create-queue.json"
readonly expire_days=30

region=""
profile=""
yes=false
account=""
known_urls=""
queue_names=(
  "${COURIER_REQUEST_QUEUE:-requestQueue}"
  "${COURIER_RESPONSE_QUEUE:-responseQueue}"
  "${COURIER_IMAGE_INBOX:-imageInbox}"
  "${COURIER_IMAGE_OUTBOX:-imageOutbox}"
)

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
  say "+ aws $*"
  need "$@" >/dev/null
}

# Call the AWS CLI; a failure ends the script in our words.
need() {
  local answer
  answer=$(ask "$@" 2>&1) || explain "$answer"
  say "$answer"
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
  local name url
  find_queues
  for name in "${queue_names[@]}"; do
    url=$(queue_url "$name")
    if [[ -n $url ]]; then
      say "queue $name exists"
    else
      change sqs create-queue \
        --queue-name "$name" \
        --attributes "file://$attributes_file"
    fi
  done
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
  printf '{"Rules": [{"ID": "expire-images", "Status": "Enabled", "Filter": {"Prefix": "images/"}, '
  printf '"Expiration": {"Days": %d}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}]}' "$expire_days"
}

show_status() {
  local name url depths
  find_queues
  say "account $account, region $region${AWS_ENDPOINT_URL:+, endpoint $AWS_ENDPOINT_URL}"
  for name in "${queue_names[@]}"; do
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
  say "This removes the queues ${queue_names[*]} and the bucket $(bucket_name), with all that is in them."
  [[ -t 0 ]] || die 2 "Nobody is there to ask. Add --yes to remove without being asked."
  local answer
  read -r -p "Remove them? [y/N] " answer || true
  [[ $answer == [yY] || $answer == [yY]es ]] || die 0 "Nothing was removed."
}

remove_all() {
  local name url
  confirm_removal
  find_queues
  for name in "${queue_names[@]}"; do
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
