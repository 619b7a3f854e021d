# shellcheck shell=bash
# bucket.sh: the bucket for pictures, long lists and the workers' code.

# Find the bucket's name. An account-regional name can be nobody else's; it is used where the CLI knows it and
# no bucket of the plain name is there.
name_bucket() {
  local plain="$name-$account-$region"
  bucket=${COURIER_BUCKET:-$plain}
  [[ -z ${COURIER_BUCKET:-} ]] && is_real || return 0
  has_bucket "$plain" && return
  if has_bucket "$plain-an" || ask s3api create-bucket --generate-cli-skeleton 2>/dev/null | grep -q BucketNamespace; then
    bucket="$plain-an"
  fi
}

# has_bucket NAME: whether it is there and ours to see.
has_bucket() {
  local errors
  errors=$(ask s3api head-bucket --bucket "$1" 2>&1) && return 0
  case $errors in
    *404* | *"Not Found"* | *403* | *Forbidden*) return 1 ;;
    *) explain "$errors" s3api:head-bucket ;;
  esac
}

# Whether the bucket is there; ends with a sentence if its name is somebody else's.
bucket_exists() {
  local answer
  answer=$(ask s3api head-bucket --bucket "$bucket" 2>&1) && return 0
  case $answer in
    *404* | *"Not Found"*) return 1 ;;
    *403* | *Forbidden*) die 1 "The bucket $bucket is somebody else's. Choose another name in COURIER_BUCKET." ;;
    *) explain "$answer" s3:ListBucket ;;
  esac
}

make_bucket() {
  local options=()
  if bucket_exists; then
    say "bucket $bucket is there"
  else
    # us-east-1 is the one region that must not be named as a location.
    [[ $region == us-east-1 ]] || options+=(--create-bucket-configuration "LocationConstraint=$region")
    [[ $bucket != *-an || -n ${COURIER_BUCKET:-} ]] || options+=(--bucket-namespace account-regional)
    change s3api create-bucket --bucket "$bucket" ${options[@]+"${options[@]}"}
  fi
  begin close_to_the_public
  begin encrypt_bucket
  begin let_expire
  # Emulators are reached without TLS, and would lock everybody out.
  ! is_real || begin demand_tls
  finish
}

close_to_the_public() {
  local there settings="BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
  there=$(look s3api get-public-access-block \
    --bucket "$bucket" \
    --query "PublicAccessBlockConfiguration.[BlockPublicAcls,IgnorePublicAcls,BlockPublicPolicy,RestrictPublicBuckets]" \
    --output text)
  [[ $there == $'True\tTrue\tTrue\tTrue' ]] || change s3api put-public-access-block \
    --bucket "$bucket" \
    --public-access-block-configuration "$settings"
}

encrypt_bucket() {
  local there rules='{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'
  there=$(look s3api get-bucket-encryption \
    --bucket "$bucket" \
    --query "ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm" \
    --output text)
  [[ $there == AES256 || $there == aws:kms* ]] || change s3api put-bucket-encryption \
    --bucket "$bucket" \
    --server-side-encryption-configuration "$rules"
}

let_expire() {
  local there fields="[Filter.Prefix,Expiration.Days,AbortIncompleteMultipartUpload.DaysAfterInitiation,Status]"
  there=$(look s3api get-bucket-lifecycle-configuration \
    --bucket "$bucket" \
    --query "Rules[].$fields" \
    --output text)
  [[ $(sort <<<"$there") == "$(printf '%s\t%s\t1\tEnabled\n' images/ "$expire_days" numbers/ "$list_days")" ]] ||
    change s3api put-bucket-lifecycle-configuration \
      --bucket "$bucket" \
      --lifecycle-configuration "{\"Rules\": [$(expiry images "$expire_days"), $(expiry numbers "$list_days")]}"
}

expiry() { # prefix, days
  printf '{"ID": "expire-%s", "Status": "Enabled", "Filter": {"Prefix": "%s/"}, ' "$1" "$1"
  printf '"Expiration": {"Days": %d}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}' "$2"
}

demand_tls() {
  local there wanted
  wanted=$(policy_document bucket)
  there=$(look s3api get-bucket-policy \
    --bucket "$bucket" \
    --query Policy \
    --output text)
  [[ $(compact <<<"$there") == "$wanted" ]] || change s3api put-bucket-policy \
    --bucket "$bucket" \
    --policy "$wanted"
}

remove_bucket() {
  if bucket_exists; then change s3 rb "s3://$bucket" --force; else say "bucket $bucket is not there"; fi
}
