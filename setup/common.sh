# shellcheck shell=bash
# common.sh: how aws_setup.sh speaks, calls AWS, and says what AWS answers. Sourced, like its siblings.

readonly no_network="The account has no default network in this region. Make one: aws ec2 create-default-vpc"

say() { printf '%s\n' "$*"; }

# die STATUS MESSAGE...
die() {
  local status=$1
  shift
  printf 'aws_setup.sh: %s\n' "$*" >&2
  exit "$status"
}

warn() { printf 'aws_setup.sh: %s\n' "$*" >&2; }

help() { awk 'NR > 2 && /^#/ { sub(/^# ?/, ""); print; next } NR > 2 { exit }' "$here/aws_setup.sh"; }

is_real() { [[ -z ${AWS_ENDPOINT_URL:-} ]]; }

# Call the AWS CLI, quietly. The endpoint goes with every call: version 1 of the CLI ignores
# AWS_ENDPOINT_URL for SQS and would reach the real AWS.
aws_try() {
  local where=(--region "$region")
  is_real || where+=(--endpoint-url "$AWS_ENDPOINT_URL")
  [[ -z $profile ]] || where+=(--profile "$profile")
  # A bucket of a name that can be guessed may be somebody else's.
  [[ $1 != s3api || $2 == create-bucket ]] || where+=(--expected-bucket-owner "$account")
  AWS_PAGER="" command aws "$@" "${where[@]}" </dev/null
}

# aws_require COMMAND...: its answer; a failure ends the script in our words. What passes is waited for.
aws_require() {
  local errors waited=0
  # What the CLI warns of on stderr must not become part of its answer.
  until { errors=$(aws_try "$@" 2>&1 >&3); } 3>&1; do
    [[ "$1:$2" != sqs:delete-queue || $errors != *NonExistentQueue* ]] || return 0
    passes "$errors" && ((waited < patience_seconds)) || die_with_aws_error "$errors" "$1:$2"
    ((waited)) || warn "$(reason_to_wait "$errors") Waiting, up to $patience_seconds s."
    sleep "$pause_seconds"
    waited=$((waited + pause_seconds))
  done
}

# aws_lookup COMMAND...: its answer, or nothing where AWS knows no such thing or says None.
aws_lookup() {
  local answer errors failed=1 waited=0
  errors=$(mktemp "$scratch/errors.XXXXXX")
  until answer=$(aws_try "$@" 2>"$errors") && failed=0; do
    is_busy "$(<"$errors")" && ((waited < patience_seconds)) || break
    sleep "$pause_seconds"
    waited=$((waited + pause_seconds))
  done
  if ((failed == 0)); then
    [[ -z $answer || $answer == None ]] || say "$answer"
    return 0
  fi
  case $(<"$errors") in
    *NoSuch* | *NotFound* | *NonExistent* | *"(404)"* | *"name not found"*) ;;
    *) die_with_aws_error "$(<"$errors")" "$1:$2" ;;
  esac
}

# aws_apply COMMAND...: show a command that changes something, and run it; in a plan, only show it. Sets `answer`.
aws_apply() {
  answer=""
  echo >>"$scratch/changes"
  if $dry; then
    say "would run: aws$(quoted "$@")"
    return
  fi
  say "+ aws$(quoted "$@")"
  answer=$(aws_require "$@")
}

# quoted WORD...: the words as one would type them, each with a blank before it.
quoted() {
  local word quote="'\\''"
  for word; do
    if [[ $word =~ ^[A-Za-z0-9_./:=,@%+-]+$ ]]; then
      printf ' %s' "$word"
    else
      printf " '%s'" "${word//\'/$quote}"
    fi
  done
}

count_changes() { wc -l <"$scratch/changes" | tr -d ' '; }

# begin COMMAND...: run it beside others, since the CLI takes most of a second to start. A plan is told in order.
begin() {
  local lane
  ((${#begun[@]} < most_lanes)) || finish
  if $dry; then
    lane=$(mktemp "$scratch/lane.XXXXXX")
    lanes+=("$lane")
    alone "$@" >"$lane" &
  else
    alone "$@" &
  fi
  begun+=($!)
}

alone() {
  begun=()
  lanes=()
  "$@"
}

# finish: wait for all that was begun, and end with the first failure's status.
finish() {
  local pid lane status=0
  for pid in ${begun[@]+"${begun[@]}"}; do wait "$pid" || status=${status/#0/$?}; done
  begun=()
  for lane in ${lanes[@]+"${lanes[@]}"}; do cat "$lane"; done
  lanes=()
  ((status == 0)) || exit "$status"
}

# passes MESSAGE: whether an error of AWS's is over by itself in a minute or so.
passes() {
  case $1 in
    *QueueDeletedRecently* | *"wait 60 seconds"*) ;;
    *"no associated IAM Roles"* | *InvalidGroup.NotFound* | *InvalidInstanceID.NotFound* | *"Dead letter target does not exist"*) ;;
    *DeleteConflict* | *"Invalid IAM Instance Profile"* | *"nstance profile"*"not found"* | *DependencyViolation* | *OperationAborted*) ;;
    *"policy is not valid"*"principal"* | *ServiceUnavailable* | *InternalError* | *IncorrectInstanceState*) ;;
    *) is_busy "$1" ;;
  esac
}

# is_busy MESSAGE: whether AWS had too much to do.
is_busy() { [[ $1 == *Throttl* || $1 == *RequestLimitExceeded* || $1 == *TooManyRequests* || $1 == *SlowDown* ]]; }

reason_to_wait() {
  case $1 in
    *QueueDeletedRecently* | *"wait 60 seconds"*) say "A queue of this name was deleted less than a minute ago." ;;
    *nstance*rofile* | *"IAM Roles"*) say "AWS does not know the new instance profile everywhere yet." ;;
    *DependencyViolation* | *DeleteConflict*) say "Something still uses what is to be removed." ;;
    *) say "AWS is busy or not ready." ;;
  esac
}

# die_with_aws_error MESSAGE CALL: end with what an AWS error means for the user.
die_with_aws_error() {
  local fresh="Paste fresh ones into ~/.aws/credentials, or run: aws configure"
  local right="Ask for it, or use other credentials (--profile). In a Learner Lab much is forbidden: see the README."
  ! is_busy "$1" || die 1 "AWS has too much to do ($2). Try again in a minute. It said: $(one_line "$1")"
  case $1 in
    *RequestTimeTooSkewed* | *"Signature expired"* | *"Signature not yet current"* | *RequestExpired*)
      die 4 "This machine's clock is wrong by minutes, and AWS refuses what it signs. Set the clock (timedatectl set-ntp true)."
      ;;
    *ExpiredToken* | *"token included in the request is expired"*) die 4 "These AWS keys have expired. $fresh" ;;
    *InvalidClientTokenId* | *SignatureDoesNotMatch* | *InvalidAccessKeyId* | *UnrecognizedClient* | *AuthFailure*)
      die 4 "AWS refuses these keys. $fresh"
      ;;
    *"config profile"*"could not be found"*) die 4 "There is no such profile: $(one_line "$1")" ;;
    *"Unable to locate credentials"*) die 4 "There are no AWS keys. ${fresh/fresh ones/them}" ;;
    *"Could not connect"* | *"Connection was closed"* | *"timed out"*)
      die 4 "AWS cannot be reached${AWS_ENDPOINT_URL:+ at $AWS_ENDPOINT_URL}. See that the network is up and the endpoint right."
      ;;
    *LimitExceeded* | *"exceeded your"* | *"Cannot exceed quota"*)
      die 1 "A limit of the account is reached ($2): $(one_line "$1") Remove what is not needed, or ask for more: console, Service Quotas."
      ;;
    *AccessDenied* | *UnauthorizedOperation* | *"not authorized"* | *"(403)"*) die 1 "These keys have no right to $2. $right AWS said: $(one_line "$1")" ;;
    *VPCIdNotSpecified* | *"No default VPC"* | *"no default VPC"* | *MissingInput*subnet*) die 1 "$no_network" ;;
    *InsufficientInstanceCapacity* | *"(Unsupported)"*)
      die 1 "AWS has no $instance_type to give here now. Try again later, or another type (--type t3.small). AWS said: $(one_line "$1")"
      ;;
    *OptInRequired* | *PendingVerification*)
      die 1 "This account may not use the service yet: finish its sign-up in the console, and wait for AWS's mail. AWS said: $(one_line "$1")"
      ;;
    *BucketAlreadyExists*) die 1 "The bucket's name is taken, by somebody else. Choose another name in COURIER_BUCKET." ;;
    *) die 1 "AWS said: $(one_line "$1")" ;;
  esac
}

one_line() { awk '{ $1 = $1; printf "%s%s", separator, $0; separator = " " }' <<<"${1#$'\n'}"; }

# Find the region, who asks, and so whether AWS can be reached with these keys at all.
connect() {
  local identity
  command -v aws >/dev/null || die 2 "The AWS CLI is not installed. Install it with: pip install awscli"
  region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-$(configured_region)}}}
  [[ -n $region ]] || die 4 "AWS's configuration names no region. Use --region us-east-1, or run: aws configure"
  identity=$(aws_require sts get-caller-identity \
    --query "[Account, Arn]" \
    --output text)
  account=${identity%%[[:space:]]*}
  [[ $identity != *:assumed-role/voclabs/* && $identity != *:assumed-role/LabRole/* ]] || is_lab=true
  if $is_lab && [[ $region != us-east-1 && $region != us-west-2 ]]; then
    die 1 "A Learner Lab works in us-east-1 and us-west-2 only, and the region is $region. Use --region us-east-1"
  fi
}

configured_region() { command aws configure get region ${profile:+--profile "$profile"} || true; }

# agree QUESTION: whether the user says yes; without a user to ask, --yes is needed.
agree() {
  local answer
  $yes && return
  [[ -t 0 ]] || die 2 "Nobody is there to ask. Add --yes to go on without being asked."
  read -r -p "$1 [y/N] " answer || true
  [[ $answer == [yY] || $answer == [yY]es ]]
}

# compact: JSON on stdin without blanks and line ends; ours has none within its values.
compact() { tr -d ' \n\r\t'; }

sha256() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }
