# shellcheck shell=bash
# bucket.sh: the bucket for images, long lists and the workers' code.

# Find the bucket's name. An account-regional name, which cannot belong to another account, comes first; the plain name,
# which anybody may have taken, is used only for a bucket that this account has under it, and with a CLI that knows no
# other.
name_bucket() {
  local plain="$name-$account-$region" status=0
  bucket=${COURIER_BUCKET:-$plain}
  [[ -z ${COURIER_BUCKET:-} ]] && is_real || return 0
  if has_bucket "$plain-an"; then
    bucket="$plain-an"
    return
  fi
  has_bucket "$plain" && return || status=$?
  if has_regional_names; then
    bucket="$plain-an"
  elif ((status == 2)); then
    die 1 "These credentials cannot access the bucket $plain: it belongs to another account, or they lack the permission s3:ListBucket. Ask for it, or name another bucket in COURIER_BUCKET."
  fi
}

# has_regional_names: whether the CLI can create a bucket with an account-regional name.
has_regional_names() {
  local skeleton
  skeleton=$(aws_try s3api create-bucket --generate-cli-skeleton 2>/dev/null) || return 1
  [[ $skeleton == *BucketNamespace* ]]
}

# has_bucket NAME: 0 if this account has it, 1 if it does not exist, 2 if access is denied, as to another account's.
has_bucket() {
  local errors started=$SECONDS
  until errors=$(aws_try s3api head-bucket --bucket "$1" 2>&1); do
    case $errors in
      *404* | *"Not Found"*) return 1 ;;
      *403* | *Forbidden*) return 2 ;;
      *"(301)"* | *"(400)"*)
        die 1 "S3 rejects what is asked about the bucket $1. It is in another region than $region (name that with --region), or these credentials have just expired."
        ;;
    esac
    is_busy "$errors" && ((SECONDS - started < retry_seconds)) || die_with_aws_error "$errors" s3:ListBucket
    sleep "$pause_seconds"
  done
}

# find_bucket: set `bucket_state` to missing, own, other or theirs, and `bucket_owner`; exits if it is in another
# account. A bucket without our tag that COURIER_BUCKET names or that has other tags existed before (other).
find_bucket() {
  local status=0
  bucket_state=missing
  bucket_owner=""
  has_bucket "$bucket" || status=$?
  case $status in
    1) return ;;
    2) die 1 "The bucket $bucket belongs to another account. Choose another name in COURIER_BUCKET." ;;
  esac
  bucket_owner=$(owner_of_bucket)
  case $bucket_owner in
    "$name") bucket_state=own ;;
    "") if [[ -n ${COURIER_BUCKET:-} ]]; then bucket_state=other; else bucket_state=own; fi ;;
    -) bucket_state=other ;;
    *) bucket_state=theirs ;;
  esac
  [[ $bucket_state == other ]] || return 0
  code_owner=$(owner_of_code)
  [[ -z $code_owner || $code_owner == "$name" ]] || bucket_state=theirs bucket_owner=$code_owner
}

# owner_of_bucket: the name of the set-up that owns it; empty without tags, - with other tags only.
owner_of_bucket() {
  aws_lookup s3api get-bucket-tagging \
    --bucket "$bucket" \
    --query "TagSet[?Key=='courier'].Value | [0] || '-'" \
    --output text
}

# need_bucket: exit unless this set-up may write to the bucket.
need_bucket() {
  find_bucket
  [[ $bucket_state != theirs ]] ||
    die 1 "The bucket $bucket belongs to the set-up '$bucket_owner'. Use that set-up (--name $bucket_owner), or choose another name in COURIER_BUCKET."
}

make_bucket() {
  local options=()
  need_bucket
  if [[ $bucket_state == other ]]; then
    say "bucket $bucket existed before: its settings do not change, and down does not remove it"
    return
  fi
  # A bucket that was just removed may still be found, without its tags. To create it again does no harm to one that exists.
  if [[ $bucket_state == own && -n $bucket_owner ]]; then
    say "bucket $bucket exists"
  else
    # us-east-1 must not be given as a location.
    [[ $region == us-east-1 ]] || options+=(--create-bucket-configuration "LocationConstraint=$region")
    [[ $bucket != *-an || -n ${COURIER_BUCKET:-} ]] || options+=(--bucket-namespace account-regional)
    aws_apply s3api create-bucket --bucket "$bucket" ${options[@]+"${options[@]}"}
  fi
  [[ -n $bucket_owner ]] || tag_bucket
  begin block_public_access
  begin encrypt_bucket
  begin set_lifecycle
  # Emulators have no TLS: the policy would lock everybody out.
  ! is_real || begin require_tls
  finish
}

block_public_access() {
  local there settings="BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
  there=$(aws_lookup s3api get-public-access-block \
    --bucket "$bucket" \
    --query "PublicAccessBlockConfiguration.[BlockPublicAcls,IgnorePublicAcls,BlockPublicPolicy,RestrictPublicBuckets]" \
    --output text)
  [[ $there == $'True\tTrue\tTrue\tTrue' ]] || aws_apply s3api put-public-access-block \
    --bucket "$bucket" \
    --public-access-block-configuration "$settings"
}

encrypt_bucket() {
  local there rules='{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'
  there=$(aws_lookup s3api get-bucket-encryption \
    --bucket "$bucket" \
    --query "ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm" \
    --output text)
  [[ $there == AES256 || $there == aws:kms* ]] || aws_apply s3api put-bucket-encryption \
    --bucket "$bucket" \
    --server-side-encryption-configuration "$rules"
}

set_lifecycle() {
  local there fields="[Filter.Prefix,Expiration.Days,AbortIncompleteMultipartUpload.DaysAfterInitiation,Status]"
  there=$(aws_lookup s3api get-bucket-lifecycle-configuration \
    --bucket "$bucket" \
    --query "Rules[].$fields" \
    --output text)
  [[ $(sort <<<"$there") == "$(printf '%s\t%s\t1\tEnabled\n' images/ "$expire_days" numbers/ "$list_days")" ]] ||
    aws_apply s3api put-bucket-lifecycle-configuration \
      --bucket "$bucket" \
      --lifecycle-configuration "{\"Rules\": [$(expiry images "$expire_days"), $(expiry numbers "$list_days")]}"
}

expiry() { # prefix, days
  printf '{"ID": "expire-%s", "Status": "Enabled", "Filter": {"Prefix": "%s/"}, ' "$1" "$1"
  printf '"Expiration": {"Days": %d}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}' "$2"
}

require_tls() {
  local there wanted
  wanted=$(policy_document bucket)
  there=$(aws_lookup s3api get-bucket-policy \
    --bucket "$bucket" \
    --query Policy \
    --output text)
  [[ $(compact <<<"$there") == "$wanted" ]] || aws_apply s3api put-bucket-policy \
    --bucket "$bucket" \
    --policy "$wanted"
}

# Only for a bucket without tags: the call replaces all tags. A new bucket that cannot be tagged is deleted again, since
# it would count as one that existed before.
tag_bucket() {
  local status=0
  (aws_apply s3api put-bucket-tagging --bucket "$bucket" --tagging "TagSet=[{Key=courier,Value=$name}]") || status=$?
  ((status)) || return 0
  [[ $bucket_state == own ]] || aws_apply s3api delete-bucket --bucket "$bucket"
  exit "$status"
}

# remove_bucket: remove it with all objects; from a bucket that existed before, remove only the code.
remove_bucket() {
  local key there
  case $bucket_state in
    own)
      empty_bucket
      aws_apply s3api delete-bucket --bucket "$bucket"
      ;;
    other)
      [[ -n $code_owner ]] || return 0
      there=$(tarballs)
      for key in $there deploy/current; do
        aws_apply s3api delete-object --bucket "$bucket" --key "$key"
      done
      say "bucket $bucket stays, with its objects under images/ and numbers/"
      ;;
  esac
}

# empty_bucket: delete all objects, a thousand a call. Each call says whose bucket it is, as `aws s3 rb` cannot.
empty_bucket() {
  local there
  while true; do
    there=$(aws_lookup s3api list-objects-v2 \
      --bucket "$bucket" \
      --no-paginate \
      --query '{Quiet: `true`, Objects: Contents[].{Key: Key}}' \
      --output json)
    [[ $there == *'"Key"'* ]] || return 0
    printf '%s\n' "$there" >"$scratch/objects"
    aws_apply s3api delete-objects \
      --bucket "$bucket" \
      --delete "file://$scratch/objects" \
      --query 'Errors[0].Message' \
      --output text
    [[ -z $response || $response == None ]] || die 1 "An object of the bucket $bucket could not be deleted: $response"
  done
}
