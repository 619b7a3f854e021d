# shellcheck shell=bash
# common.sh: output, AWS calls and AWS errors of aws_setup.sh. Sourced, like the other parts.

readonly local_seconds=20
readonly no_network="The account has no default network in this region. Make one: aws ec2 create-default-vpc"

# shellcheck source=setup/output.sh
. "${BASH_SOURCE[0]%/*}/output.sh"

# die STATUS MESSAGE...
die() {
  local status=$1
  shift
  warn "$*"
  exit "$status"
}

warn() {
  local text
  text=$(printable "$*")
  wrap 2 "${script_name:-aws_setup.sh}: $text"
}

help() { awk 'NR > 2 && /^#/ { sub(/^# ?/, ""); print; next } NR > 2 { exit }' "$here/aws_setup.sh" | pass; }

is_real() { [[ -z ${AWS_ENDPOINT_URL:-} ]]; }

# Become the AWS CLI, so only within $( ) or ( ): one process less a call. The endpoint is passed with every call:
# version 1 of the CLI ignores AWS_ENDPOINT_URL for SQS and would reach the real AWS.
aws_try() {
  local where=(--region "$region")
  is_real || where+=(--endpoint-url "$AWS_ENDPOINT_URL")
  [[ -z $profile ]] || where+=(--profile "$profile")
  # A local AWS answers within seconds, or hangs.
  [[ -z ${SETUP_LOCAL:-} ]] || where+=(--cli-connect-timeout 5 --cli-read-timeout "$local_seconds")
  # A bucket whose name can be guessed may belong to another account.
  [[ $1 != s3api || $2 == create-bucket ]] || where+=(--expected-bucket-owner "$account")
  AWS_PAGER="" exec aws "$@" "${where[@]}" </dev/null
}

# aws_require COMMAND...: print the response. Waits for what passes by itself; any other error ends the script.
aws_require() {
  local errors started=$SECONDS is_reported=false was_lost=false
  # Warnings of the CLI on stderr must not become part of the response.
  until { errors=$(aws_try "$@" 2>&1 >&3); } 3>&1; do
    ! is_done "$1:$2" "$errors" $was_lost || return 0
    ! is_busy "$errors" || was_lost=true
    will_pass "$1:$2" "$errors" && ((SECONDS - started < $(seconds_to_wait "$errors"))) || die_with_aws_error "$errors" "$1:$2"
    $is_reported || warn "$(reason_to_wait "$errors") Waiting, up to $(seconds_to_wait "$errors") s."
    is_reported=true
    sleep "$pause_seconds"
  done
}

# aws_lookup COMMAND...: print the response, or nothing if the resource does not exist or the value is None.
aws_lookup() {
  local response errors="" failed=1 started=$SECONDS
  until response=$(aws_try "$@" 2>"$scratch/errors$lane") && failed=0; do
    read_file errors "$scratch/errors$lane"
    is_busy "$errors" && ((SECONDS - started < retry_seconds)) || break
    sleep "$pause_seconds"
  done
  if ((failed == 0)); then
    [[ -z $response || $response == None ]] || say "$response"
    return 0
  fi
  is_missing "$errors" || die_with_aws_error "$errors" "$1:$2"
}

# read_file VARIABLE FILE: set it to the file's text, or to nothing if there is no such file. $(<FILE) starts a process.
read_file() {
  local text=""
  [[ ! -f $2 ]] || IFS= read -r -d '' text <"$2" || true
  printf -v "$1" '%s' "${text%$'\n'}"
}

# aws_apply COMMAND...: show a command that changes something, and run it; in a plan, only show it. Sets `response`.
aws_apply() {
  response=""
  echo >>"$scratch/changes"
  if $dry; then
    say "would run: aws$(quoted "$@")"
    return
  fi
  say "+ aws$(quoted "$@")"
  response=$(aws_require "$@")
}

# quoted WORD...: the words quoted for a shell, each after a space.
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

# What ends the names of this command's own files: those that run at the same time each have another.
lane=""
count_of_lanes=0

# begin COMMAND...: run it in parallel, since the CLI takes most of a second to start. A plan is printed in order.
begin() {
  ((${#begun[@]} < most_lanes)) || finish
  count_of_lanes=$((count_of_lanes + 1))
  if $dry; then
    lanes+=("$scratch/plan$lane.$count_of_lanes")
    alone "$@" >"$scratch/plan$lane.$count_of_lanes" &
  else
    alone "$@" &
  fi
  begun+=($!)
}

alone() {
  lane+=.$count_of_lanes
  begun=()
  lanes=()
  "$@"
}

# finish: wait for all parallel commands, and exit with the status of the first failure.
finish() {
  local pid plan status=0
  for pid in ${begun[@]+"${begun[@]}"}; do wait "$pid" || status=${status/#0/$?}; done
  begun=()
  for plan in ${lanes[@]+"${lanes[@]}"}; do pass <"$plan"; done
  lanes=()
  ((status == 0)) || exit "$status"
}

# will_pass CALL MESSAGE: whether an error passes by itself in about a minute. To a call that changes something, what was
# made a moment ago may be unknown: each service tells its parts of what is new after it has answered the call.
will_pass() {
  is_transient "$2" || { is_missing "$2" && is_change "$1" && [[ $2 != *InvalidAMIID* ]]; }
}

# is_change CALL: whether it makes or changes something, and neither only reads nor removes it.
is_change() { [[ $1 != *:get-* && $1 != *:list-* && $1 != *:describe-* && $1 != *:head-* && $1 != *:wait ]] && ! is_removal "$1"; }

is_removal() { [[ $1 =~ :(delete|remove|detach|revoke|terminate)- || $1 == s3:rb ]]; }

# is_done CALL MESSAGE WAS_LOST: whether the error says that there is nothing left to do: what is to be removed is gone,
# or what is to be created was created by an earlier attempt, whose response was lost.
is_done() {
  case $2 in
    *BucketAlreadyOwnedByYou* | *InvalidPermission.Duplicate*) return 0 ;;
    *AlreadyExists* | *.Duplicate*) $3 && [[ $1 == *:create-* || $1 == *:import-* ]] && [[ $1 != s3api:* ]] ;;
    *) is_missing "$2" && is_removal "$1" ;;
  esac
}

# is_missing MESSAGE: whether AWS says that something does not exist.
is_missing() { [[ $1 == *NoSuch* || $1 == *NotFound* || $1 == *NonExistent* || $1 == *"(404)"* || $1 == *"name not found"* ]]; }

# is_transient MESSAGE: whether an AWS error passes by itself in about a minute, whatever the call.
is_transient() {
  case $1 in
    *QueueDeletedRecently* | *"wait 60 seconds"*) ;;
    *"no associated IAM Roles"* | *InvalidGroup.NotFound* | *InvalidInstanceID.NotFound* | *"Dead letter target does not exist"*) ;;
    *DeleteConflict* | *"Invalid IAM Instance Profile"* | *"nstance profile"*"not found"* | *DependencyViolation* | *OperationAborted*) ;;
    *ResourceContention* | *ScalingActivityInProgress* | *ResourceInUse* | *ConcurrentModification* | *EntityTemporarilyUnmodifiable*) ;;
    *"policy is not valid"*"principal"* | *IncorrectInstanceState* | *EntityAlreadyExists*) ;;
    *"launch template"*"does not exist"*) ;;
    *) is_busy "$1" ;;
  esac
}

# is_busy MESSAGE: whether AWS throttled the call, failed, or did not respond in time.
is_busy() {
  case $1 in
    *ServiceUnavailable* | *InternalError* | *InternalFailure* | *"Read timeout on endpoint"* | *RequestTimeout*) ;;
    *) is_throttled "$1" ;;
  esac
}

# is_throttled MESSAGE: whether AWS throttled the call.
is_throttled() { [[ $1 == *Throttl* || $1 == *RequestLimitExceeded* || $1 == *TooManyRequests* || $1 == *SlowDown* ]]; }

# seconds_to_wait MESSAGE: how long to wait: a group that starts machines, and a bucket that S3 is removing, take minutes.
seconds_to_wait() {
  case $1 in
    *ScalingActivityInProgress* | *OperationAborted*) say $((4 * retry_seconds)) ;;
    *) say "$retry_seconds" ;;
  esac
}

reason_to_wait() {
  case $1 in
    *QueueDeletedRecently* | *"wait 60 seconds"*) say "A queue of this name was deleted less than a minute ago." ;;
    *nstance*rofile* | *"IAM Roles"*) say "The new instance profile is not visible everywhere in AWS yet." ;;
    *DependencyViolation* | *DeleteConflict* | *ResourceInUse*) say "The resource to remove is still in use." ;;
    *ScalingActivityInProgress*) say "The Auto Scaling group is still starting or ending instances." ;;
    *OperationAborted*) say "S3 is still working on a bucket of this name." ;;
    *EntityAlreadyExists*) say "IAM is still removing a resource of this name." ;;
    *"Read timeout"*) say "AWS did not respond in time." ;;
    *) if is_missing "$1"; then say "What was just created is not visible everywhere in AWS yet."; else say "AWS is busy or not ready."; fi ;;
  esac
}

# die_with_aws_error MESSAGE CALL: exit with what an AWS error means for the user.
die_with_aws_error() {
  local fresh="Paste fresh ones into ~/.aws/credentials, or run: aws configure"
  local right="Ask for it, or use other credentials (--profile). A Learner Lab forbids many calls: see docs/tutorial/learner-lab.md."
  ! is_throttled "$1" || die 1 "AWS throttled the calls ($2). Try again in a minute. AWS said: $(one_line "$1")"
  case $1 in
    *RequestTimeTooSkewed* | *"Signature expired"* | *"Signature not yet current"* | *RequestExpired*)
      die 4 "This machine's clock is wrong by minutes, and AWS rejects its requests. Set the clock (timedatectl set-ntp true)."
      ;;
    *ExpiredToken* | *"token included in the request is expired"*) die 4 "These AWS credentials have expired. $fresh" ;;
    *InvalidClientTokenId* | *SignatureDoesNotMatch* | *InvalidAccessKeyId* | *UnrecognizedClient* | *AuthFailure*)
      die 4 "AWS rejects these credentials. $fresh"
      ;;
    *"config profile"*"could not be found"*) die 4 "There is no such profile: $(one_line "$1")" ;;
    *"Unable to locate credentials"*) die 4 "There are no AWS credentials. ${fresh/fresh ones/them}" ;;
    *"SSO"*expired* | *"Error loading SSO Token"* | *"Token has expired and refresh failed"*)
      die 4 "The session of IAM Identity Center has expired. Log in again: aws sso login${profile:+ --profile $profile}"
      ;;
    *"aws login"*) die 4 "The session of aws login has expired. Log in again: aws login${profile:+ --profile $profile}" ;;
    *"Could not connect"* | *"Connection was closed"* | *"timed out"* | *"timeout on endpoint"*)
      die 4 "AWS cannot be reached${AWS_ENDPOINT_URL:+ at $AWS_ENDPOINT_URL}. Check that the network is up and the endpoint is right."
      ;;
    *LimitExceeded* | *"exceeded your"* | *"Cannot exceed quota"*)
      die 1 "The account has reached a limit ($2): $(one_line "$1") Remove what is not needed, or request an increase: console, Service Quotas."
      ;;
    *AccessDenied* | *UnauthorizedOperation* | *"not authorized"* | *"(403)"*) die 1 "These credentials have no permission for $2. $right AWS said: $(one_line "$1")" ;;
    *VPCIdNotSpecified* | *"No default VPC"* | *"no default VPC"* | *MissingInput*subnet*) die 1 "$no_network" ;;
    *InsufficientInstanceCapacity* | *"(Unsupported)"*)
      die 1 "AWS has no capacity for $instance_type here now. Try again later, or choose another type (--type t3.small). AWS said: $(one_line "$1")"
      ;;
    *OptInRequired* | *PendingVerification*)
      die 1 "This account may not use the service yet: finish the sign-up in the console, and wait for the e-mail from AWS. AWS said: $(one_line "$1")"
      ;;
    *NoSuch* | *NotFound* | *NonExistent*) die 1 "AWS knows nothing of a resource that $2 needs. If it was just created or removed, try again in a minute. AWS said: $(one_line "$1")" ;;
    *BucketAlreadyExists*) die 1 "The bucket's name belongs to another account. Choose another name in COURIER_BUCKET." ;;
    *) die 1 "AWS said: $(one_line "$1")" ;;
  esac
}

# one_line MESSAGE: in one line. An encoded authorization failure has a thousand characters, which say nothing as they are.
one_line() {
  awk '{ $1 = $1; printf "%s%s", separator, $0; separator = " " }' <<<"${1#$'\n'}" |
    sed -E 's/(ncoded authorization failure message: [A-Za-z0-9_-]{12})[A-Za-z0-9_-]+/\1… (cut; to read it, run the command by itself, and then aws sts decode-authorization-message)/'
}

# Find the region and the account, which shows whether AWS can be reached with these credentials.
connect() {
  local identity
  command -v aws >/dev/null || die 2 "The AWS CLI is not installed. Install it with: pip install awscli"
  region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-$(configured_region)}}}
  [[ -n $region ]] || die 4 "The AWS configuration has no region. Use --region us-east-1, or run: aws configure"
  identity=$(aws_require sts get-caller-identity \
    --query "[Account, Arn]" \
    --output text)
  account=${identity%%[[:space:]]*}
  # aws-cn in China, aws-us-gov in GovCloud.
  if [[ $identity =~ arn:([a-z-]+): ]]; then partition=${BASH_REMATCH[1]}; fi
  [[ $identity != *:assumed-role/voclabs/* && $identity != *:assumed-role/LabRole/* ]] || is_lab=true
  if $is_lab && [[ $region != us-east-1 && $region != us-west-2 ]]; then
    die 1 "A Learner Lab works in us-east-1 and us-west-2 only, and the region is $region. Use --region us-east-1"
  fi
}

configured_region() { command aws configure get region ${profile:+--profile "$profile"} || true; }

# confirm QUESTION: whether the user says yes; without a terminal, --yes is needed.
confirm() {
  local response
  $yes && return
  [[ -t 0 ]] || die 2 "There is no terminal to ask in. Add --yes to go on without a confirmation."
  read -r -p "$1 [y/N] " response || true
  [[ $response == [yY] || $response == [yY]es ]]
}

# compact: JSON on stdin without whitespace; ours has none within its values.
compact() { tr -d ' \n\r\t'; }

sha256() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }
