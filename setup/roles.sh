# shellcheck shell=bash
# roles.sh: least-privilege policies for workers and clients, and the role of an instance.

session_manager_policy() { say "arn:$partition:iam::aws:policy/AmazonSSMManagedInstanceCore"; }

# policy_document KIND: the policy's JSON as IAM returns it, without whitespace.
policy_document() { policy_text "$1" | compact; }

# policy_text KIND: the policy's JSON with this set-up's names.
policy_text() {
  sed \
    -e "s|@QUEUES@|arn:$partition:sqs:$region:$account:|g" \
    -e "s|@REQUEST_QUEUE@|${queue_names[0]}|g" \
    -e "s|@RESPONSE_QUEUE@|${queue_names[1]}|g" \
    -e "s|@IMAGE_INBOX@|${queue_names[2]}|g" \
    -e "s|@IMAGE_OUTBOX@|${queue_names[3]}|g" \
    -e "s|@PARTITION@|$partition|g" \
    -e "s|@BUCKET@|$bucket|g" \
    -e "s|@REGION@|$region|g" \
    -e "s|@ACCOUNT@|$account|g" \
    -e "s|@NAME@|$name|g" \
    "$here/setup/policies/$1.json"
}

# printed_policy KIND: the policy to print, with --no-purge that of a student.
printed_policy() {
  if $no_purge; then policy_text "$1" | sed 's/, "sqs:PurgeQueue"//'; else policy_text "$1"; fi
}

role_name() { say "$name-worker"; }

profile_name() { if $is_lab; then say LabInstanceProfile; else role_name; fi; }

# IAM has no regions, and other set-ups may use the same names: our tags contain the region.
# owner_in PATH: a query for the owner of a role, profile or policy, as NAME/REGION.
owner_in() {
  say "join('/', [($1.Tags[?Key=='courier'].Value | [0]) || '-', ($1.Tags[?Key=='courier-region'].Value | [0]) || '$region'])"
}

# reject_foreign WHAT OWNER: exit if it exists and has another owner.
reject_foreign() {
  [[ -z $2 || $2 == "$name/$region" ]] ||
    die 1 "The $1 belongs to another set-up (${2/\// in }), and IAM is shared by all regions. Give this set-up another name: --name NAME"
}

role_owner() {
  aws_lookup iam get-role \
    --role-name "$(role_name)" \
    --query "$(owner_in Role)" \
    --output text
}

profile_owner() {
  aws_lookup iam get-instance-profile \
    --instance-profile-name "$(role_name)" \
    --query "$(owner_in InstanceProfile)" \
    --output text
}

policy_owner() {
  aws_lookup iam get-policy \
    --policy-arn "$(client_policy_arn)" \
    --query "$(owner_in Policy)" \
    --output text
}

client_policy_arn() { say "arn:$partition:iam::$account:policy/$name-client"; }

make_roles() {
  if $is_lab; then
    say "Learner Lab: the workers use LabInstanceProfile; roles and policies cannot be created there"
    return
  fi
  begin make_worker_role
  begin make_client_policy
  finish
}

make_worker_role() {
  make_role
  begin grant_worker
  begin make_profile
  ! $no_ssh || begin allow_session_manager
  finish
}

make_role() {
  local there trust
  trust=$(policy_document trust)
  there=$(aws_lookup iam get-role \
    --role-name "$(role_name)" \
    --query "[$(owner_in Role), to_string(Role.AssumeRolePolicyDocument)]" \
    --output text)
  reject_foreign "role $(role_name)" "${there%%[[:space:]]*}"
  there=${there#*[[:space:]]}
  if [[ -z $there ]]; then
    aws_apply iam create-role \
      --role-name "$(role_name)" \
      --assume-role-policy-document "$trust" \
      --tags "Key=courier,Value=$name" "Key=courier-region,Value=$region"
  elif [[ $(compact <<<"$there") != "$trust" ]]; then
    aws_apply iam update-assume-role-policy \
      --role-name "$(role_name)" \
      --policy-document "$trust"
  else
    say "role $(role_name) exists"
  fi
}

grant_worker() {
  local there wanted
  wanted=$(policy_document worker)
  there=$(aws_lookup iam get-role-policy \
    --role-name "$(role_name)" \
    --policy-name courier-worker \
    --query "to_string(PolicyDocument)" \
    --output text)
  [[ $(compact <<<"$there") == "$wanted" ]] || aws_apply iam put-role-policy \
    --role-name "$(role_name)" \
    --policy-name courier-worker \
    --policy-document "$wanted"
}

make_profile() {
  local there
  # "-" is a profile without a role.
  there=$(aws_lookup iam get-instance-profile \
    --instance-profile-name "$(profile_name)" \
    --query "InstanceProfile.Roles[0].RoleName || '-'" \
    --output text)
  [[ -n $there ]] || aws_apply iam create-instance-profile \
    --instance-profile-name "$(profile_name)" \
    --tags "Key=courier,Value=$name" "Key=courier-region,Value=$region"
  [[ $there == "$(role_name)" ]] || aws_apply iam add-role-to-instance-profile \
    --instance-profile-name "$(profile_name)" \
    --role-name "$(role_name)"
}

allow_session_manager() {
  local there
  there=$(aws_lookup iam list-attached-role-policies \
    --role-name "$(role_name)" \
    --query "AttachedPolicies[].PolicyArn" \
    --output text)
  [[ $there == *"$(session_manager_policy)"* ]] || aws_apply iam attach-role-policy \
    --role-name "$(role_name)" \
    --policy-arn "$(session_manager_policy)"
}

# A managed policy for administrators to attach to users or groups.
make_client_policy() {
  local owner version there wanted
  wanted=$(policy_document client)
  there=$(aws_lookup iam get-policy \
    --policy-arn "$(client_policy_arn)" \
    --query "[$(owner_in Policy), Policy.DefaultVersionId]" \
    --output text)
  read -r owner version <<<"$there"
  reject_foreign "policy $name-client" "$owner"
  if [[ -z $version ]]; then
    aws_apply iam create-policy \
      --policy-name "$name-client" \
      --policy-document "$wanted" \
      --tags "Key=courier,Value=$name" "Key=courier-region,Value=$region"
    return
  fi
  there=$(aws_require iam get-policy-version \
    --policy-arn "$(client_policy_arn)" \
    --version-id "$version" \
    --query "to_string(PolicyVersion.Document)" \
    --output text)
  [[ $(compact <<<"$there") == "$wanted" ]] || replace_client_policy "$wanted"
}

# IAM keeps at most five versions: delete those that are not the default.
replace_client_policy() {
  remove_old_versions
  aws_apply iam create-policy-version \
    --policy-arn "$(client_policy_arn)" \
    --policy-document "$1" \
    --set-as-default
}

remove_old_versions() {
  local there old
  there=$(aws_lookup iam list-policy-versions \
    --policy-arn "$(client_policy_arn)" \
    --query 'Versions[?!IsDefaultVersion].VersionId' \
    --output text)
  for old in $there; do
    aws_apply iam delete-policy-version \
      --policy-arn "$(client_policy_arn)" \
      --version-id "$old"
  done
}

remove_roles() {
  ! $is_lab || return 0
  begin remove_worker_role
  begin remove_client_policy
  finish
}

remove_worker_role() {
  local role attached there
  role=$(role_name)
  there=$(profile_owner)
  [[ $there != "$name/$region" ]] || remove_profile
  there=$(role_owner)
  [[ $there == "$name/$region" ]] || return 0
  there=$(aws_lookup iam list-attached-role-policies \
    --role-name "$role" \
    --query "AttachedPolicies[].PolicyArn" \
    --output text)
  for attached in $there; do
    aws_apply iam detach-role-policy --role-name "$role" --policy-arn "$attached"
  done
  there=$(aws_lookup iam list-role-policies --role-name "$role" --query "PolicyNames[]" --output text)
  [[ -z $there ]] || aws_apply iam delete-role-policy --role-name "$role" --policy-name courier-worker
  aws_apply iam delete-role --role-name "$role"
}

remove_profile() {
  local role there
  role=$(role_name)
  there=$(aws_lookup iam get-instance-profile \
    --instance-profile-name "$role" \
    --query "InstanceProfile.Roles[0].RoleName || '-'" \
    --output text)
  [[ -z $there || $there == - ]] || aws_apply iam remove-role-from-instance-profile \
    --instance-profile-name "$role" \
    --role-name "$there"
  [[ -z $there ]] || aws_apply iam delete-instance-profile --instance-profile-name "$role"
}

remove_client_policy() {
  local there entity
  there=$(policy_owner)
  [[ $there == "$name/$region" ]] || return 0
  for entity in Users:user Groups:group Roles:role; do detach_client_policy "${entity%:*}" "${entity#*:}"; done
  remove_old_versions
  aws_apply iam delete-policy --policy-arn "$(client_policy_arn)"
}

detach_client_policy() { # Users user
  local there who kind
  kind="$(tr '[:lower:]' '[:upper:]' <<<"${2:0:1}")${2:1}"
  there=$(aws_lookup iam list-entities-for-policy \
    --policy-arn "$(client_policy_arn)" \
    --query "Policy$1[].${kind}Name" \
    --output text)
  for who in $there; do
    aws_apply iam "detach-$2-policy" "--$2-name" "$who" --policy-arn "$(client_policy_arn)"
  done
}
