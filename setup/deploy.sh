# shellcheck shell=bash
# deploy.sh: the workers' code in the bucket, as a tarball whose name is its SHA-256; deploy/current names the one in force.

readonly kept_tarballs=3

# pack FILE: write the tarball of what a worker needs. The same files make the same bytes.
pack() {
  local options=(--format=ustar)
  if tar --version 2>/dev/null | grep -q GNU; then
    options+=(--mtime=@0 --owner=0 --group=0 --numeric-owner "--mode=a+rX,u+w,go-w")
  fi
  (
    cd "$here"
    # Python writes its caches under other names first, and perhaps at this moment.
    find courier setup/on_machine -name __pycache__ -prune -o -type f -print | LC_ALL=C sort
    printf '%s\n' create-queue.json images_client.py images_worker.py numbers_client.py numbers_worker.py requirements.txt
  ) >"$scratch/files"
  COPYFILE_DISABLE=1 tar -C "$here" "${options[@]}" -cf - -T "$scratch/files" | gzip -n >"$1"
}

# put_code: bring the code in force in line with the code here.
put_code() {
  local sum there kept
  need_bucket
  pack "$scratch/code.tar.gz"
  sum=$(sha256 "$scratch/code.tar.gz" | cut -d ' ' -f 1)
  there=$(code_in_force)
  kept=$(tarballs)
  if [[ $there == "$sum" && $kept == *"$sum"* ]]; then
    say "code ${sum:0:12} is in force"
    return
  fi
  printf '%s  deploy/courier-%s.tar.gz\n' "$sum" "$sum" >"$scratch/current"
  aws_apply s3api put-object \
    --bucket "$bucket" \
    --key "deploy/courier-$sum.tar.gz" \
    --body "$scratch/code.tar.gz"
  aws_apply s3api put-object \
    --bucket "$bucket" \
    --key deploy/current \
    --body "$scratch/current" \
    --content-type text/plain \
    --metadata "courier=$name"
  # What lies in a bucket that was there before is ours only if it says so.
  [[ $bucket_state == other && $code_owner != "$name" ]] || remove_old_code
}

# owner_of_code: the name of the set-up whose code is in the bucket, or nothing.
owner_of_code() {
  aws_lookup s3api head-object \
    --bucket "$bucket" \
    --key deploy/current \
    --query Metadata.courier \
    --output text
}

# tarballs: the keys of ours in the bucket, the newest last.
tarballs() {
  aws_lookup s3api list-objects-v2 \
    --bucket "$bucket" \
    --prefix deploy/courier- \
    --query "sort_by(Contents || \`[]\`, &LastModified)[].Key" \
    --output text | tr '\t' '\n' | sed -n '/^deploy\/courier-[0-9a-f]\{64\}\.tar\.gz$/p'
}

# The newest stay: a machine may be fetching the one before, and somebody may want to go back.
remove_old_code() {
  local there key kept=$kept_tarballs
  # In a plan, the new one is not there yet.
  ! $dry || kept=$((kept - 1))
  there=$(tarballs)
  for key in $(awk -v kept="$kept" '{ key[NR] = $0 } END { for (i = 1; i <= NR - kept; i++) print key[i] }' <<<"$there"); do
    aws_apply s3api delete-object \
      --bucket "$bucket" \
      --key "$key"
  done
}

# code_in_force: the SHA-256 of the tarball that deploy/current names, or nothing.
code_in_force() {
  aws_lookup s3 cp "s3://$bucket/deploy/current" - | cut -d ' ' -f 1
}
