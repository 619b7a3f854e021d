# shellcheck shell=bash
# deploy.sh: the workers' code in the bucket, a tarball named after its SHA-256; deploy/current names the active one.

readonly kept_tarballs=3

# list_code: write the names of the files that a worker needs to `files`.
list_code() {
  (
    cd "$here"
    # Without Python's caches, which may be written at this moment.
    find courier setup/on_instance -name __pycache__ -prune -o -type f -print | LC_ALL=C sort
    printf '%s\n' create-queue.json images_client.py images_worker.py numbers_client.py numbers_worker.py requirements.lock
  ) >"$scratch/files"
}

# sum_of_code: the SHA-256 of these files' names and content. Each tar and gzip writes other bytes for the same files,
# so that the tarball's own would differ between macOS and Linux.
sum_of_code() {
  local file files=()
  while read -r file; do files+=("$file"); done <"$scratch/files"
  (cd "$here" && sha256 ${files[@]+"${files[@]}"} && find ${files[@]+"${files[@]}"} -perm -u+x | LC_ALL=C sort) | sha256 | cut -d ' ' -f 1
}

# pack FILE: write the tarball of the listed files.
pack() {
  local options=(--format=ustar) version
  version=$(tar --version 2>/dev/null || true)
  if [[ $version == *GNU* ]]; then
    options+=(--mtime=@0 --owner=0 --group=0 --numeric-owner "--mode=a+rX,u+w,go-w")
  fi
  COPYFILE_DISABLE=1 tar -C "$here" "${options[@]}" -cf - -T "$scratch/files" | gzip -n >"$1"
}

# put_code: make the code in this folder the active code.
put_code() {
  local sum content there kept
  need_bucket
  list_code
  content=$(sum_of_code)
  there=$(active_code)
  kept=$(tarballs)
  read -r sum there <<<"$there"
  if [[ $there == "$content" && $kept == *"$sum"* ]]; then
    say "code ${sum:0:12} is active"
    return
  fi
  pack "$scratch/code.tar.gz"
  sum=$(sha256 "$scratch/code.tar.gz" | cut -d ' ' -f 1)
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
    --metadata "courier=$name,courier-sum=$sum,courier-content=$content"
  # In a bucket that existed before, remove only code with our tag.
  [[ $bucket_state == other && $code_owner != "$name" ]] || remove_old_code "$sum"
}

# owner_of_code: the name of the set-up whose code is in the bucket, or empty.
owner_of_code() {
  aws_lookup s3api head-object \
    --bucket "$bucket" \
    --key deploy/current \
    --query Metadata.courier \
    --output text
}

# tarballs: the keys of our tarballs in the bucket, the newest last.
tarballs() {
  aws_lookup s3api list-objects-v2 \
    --bucket "$bucket" \
    --prefix deploy/courier- \
    --query "sort_by(Contents || \`[]\`, &LastModified)[].Key" \
    --output text | tr '\t' '\n' | sed -n '/^deploy\/courier-[0-9a-f]\{64\}\.tar\.gz$/p'
}

# remove_old_code SUM: keep that code and the newest before it: an instance may be downloading the previous one, and an
# operator may want to roll back.
remove_old_code() {
  local there key kept=$((kept_tarballs - 1))
  there=$(tarballs | sed "/$1/d")
  for key in $(awk -v kept="$kept" '{ key[NR] = $0 } END { for (i = 1; i <= NR - kept; i++) print key[i] }' <<<"$there"); do
    aws_apply s3api delete-object \
      --bucket "$bucket" \
      --key "$key"
  done
}

# active_code: the SHA-256 of the tarball that deploy/current names, and of the code in it; empty if there is none.
active_code() {
  aws_lookup s3api head-object \
    --bucket "$bucket" \
    --key deploy/current \
    --query '[Metadata."courier-sum", Metadata."courier-content"]' \
    --output text
}
