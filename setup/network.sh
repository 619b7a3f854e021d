# shellcheck shell=bash
# network.sh: the security group and the SSH key.

group_name() { if [[ $name == lab3 ]]; then say cloudGroup; else say "cloudGroup-$name"; fi; }

key_name() { if $is_lab && [[ $region == us-east-1 ]]; then say vockey; else say "$name-key"; fi; }

# key_file: the private key. Without HOME, bash looks up the user's folder.
key_file() {
  local home=~
  say "${key_path:-$home/.ssh/$(key_name)}"
}

# find_group: set `known_group` to its id and `known_group_owner`, and read from its tag whether SSH is disabled.
find_group() {
  local there
  there=$(aws_lookup ec2 describe-security-groups \
    --filters "Name=group-name,Values=$(group_name)" \
    --query "SecurityGroups[0].[GroupId, (Tags[?Key=='courier'].Value | [0]) || '-', (Tags[?Key=='courier-ssh'].Value | [0]) || '-']" \
    --output text)
  read -r known_group known_group_owner known_ssh <<<"$there"
  [[ $known_ssh != none || -n $ssh_cidr ]] || no_ssh=true
}

# made_group: the id of the group that make_group found or made; in a plan, where there may be none, its name. A look-up
# might not find a new group yet.
made_group() { cat "$scratch/group"; }

# my_address: this machine's public address as AWS sees it, with /32; where it cannot be found, nothing.
my_address() {
  local address
  address=$(curl --silent --show-error --max-time 10 "${SETUP_ADDRESS_URL:-https://checkip.amazonaws.com}" 2>&1) || true
  [[ ! $address =~ ^[0-9]+(\.[0-9]+){3}$ ]] || say "$address/32"
}

# allowed_cidr: the range that may use SSH now, by the rule that an earlier up or allow-me made; empty if there is none.
allowed_cidr() {
  local found
  [[ $known_group_owner == "$name" ]] || return 0
  found=$(aws_lookup ec2 describe-security-group-rules \
    --filters "Name=group-id,Values=$known_group" \
    --query "SecurityGroupRules[?!IsEgress && IpProtocol=='tcp' && FromPort==\`22\` && ToPort==\`22\` && CidrIpv4 && CidrIpv4!='0.0.0.0/0'].CidrIpv4" \
    --output text)
  awk '{ print $1 }' <<<"$found"
}

# choose_cidr VERB: set the range to this machine's address; where that cannot be found, up and plan keep what is allowed.
choose_cidr() {
  ssh_cidr=$(my_address)
  if [[ -z $ssh_cidr && $1 != allow-me ]]; then
    ssh_cidr=$(allowed_cidr)
    [[ -z $ssh_cidr ]] ||
      warn "Could not find this machine's public address. SSH stays open to $ssh_cidr, as it is. To change that: --ssh-cidr ADDRESS/32"
  fi
  [[ -n $ssh_cidr ]] ||
    die 1 "Could not find this machine's public address. Give it with --ssh-cidr ADDRESS/32, or use --no-ssh."
}

# find_ssh_cidr VERB: set the range that may use SSH; empty for nobody.
find_ssh_cidr() {
  find_group
  if $no_ssh; then
    ssh_cidr=""
    return
  fi
  [[ -n $ssh_cidr ]] || choose_cidr "$1"
  settle_cidr
}

# settle_cidr: check the range, and write it as AWS does, with its first address.
settle_cidr() {
  local a b c d bits part first
  [[ $ssh_cidr =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?$ ]] || die 2 "--ssh-cidr is '$ssh_cidr', and must be like 203.0.113.7/32."
  [[ $ssh_cidr == */* ]] || ssh_cidr="$ssh_cidr/32"
  IFS=./ read -r a b c d bits <<<"$ssh_cidr"
  for part in "$a" "$b" "$c" "$d"; do
    ((10#$part <= 255)) || die 2 "--ssh-cidr is '$ssh_cidr', and $part is more than 255."
  done
  bits=$((10#$bits))
  ((bits <= 32)) || die 2 "--ssh-cidr is '$ssh_cidr', and a range has at most 32 bits."
  ((bits >= 8)) || die 2 "--ssh-cidr $ssh_cidr would allow far too many addresses. Give your own address: ADDRESS/32"
  first=$((((10#$a << 24) + (10#$b << 16) + (10#$c << 8) + 10#$d) >> (32 - bits) << (32 - bits)))
  ssh_cidr="$((first >> 24 & 255)).$((first >> 16 & 255)).$((first >> 8 & 255)).$((first & 255))/$bits"
}

# reject_foreign_group: exit if another set-up made the group, before its rules are changed.
reject_foreign_group() {
  [[ -z $known_group || $known_group_owner == "$name" ]] ||
    die 1 "The security group $(group_name) was not created by this set-up, and stays as it is. Remove it (aws ec2 delete-security-group --group-id $known_group), or choose another --name."
}

make_group() {
  local id=$known_group
  reject_foreign_group
  if [[ -z $id ]]; then
    aws_apply ec2 create-security-group \
      --group-name "$(group_name)" \
      --description "Courier: SSH from one address only" \
      --tag-specifications "ResourceType=security-group,Tags=[{Key=courier,Value=$name},{Key=courier-ssh,Value=$(wanted_ssh)}]" \
      --query GroupId \
      --output text
    id=$response
    # An earlier attempt created it, and its response was lost.
    [[ -n $id ]] || $dry || id=$(await_group)
  else
    remember_ssh
  fi
  say "${id:-$(group_name)}" >"$scratch/group"
  settle_rules "${id:-$(group_name)}" "$known_group"
}

# await_group: the id of a group that exists, as soon as it is listed.
await_group() {
  local started=$SECONDS
  find_group
  while [[ -z $known_group ]] && ((SECONDS - started < retry_seconds)); do
    sleep "$pause_seconds"
    find_group
  done
  [[ -n $known_group ]] || die 1 "AWS does not list the security group $(group_name), which exists. Try again in a minute."
  reject_foreign_group
  say "$known_group"
}

wanted_ssh() { if $no_ssh; then say none; else say one; fi; }

# remember_ssh: record in the group's tag whether SSH is enabled.
remember_ssh() {
  local wanted
  wanted=$(wanted_ssh)
  [[ $known_ssh == "$wanted" ]] || aws_apply ec2 create-tags \
    --resources "$known_group" \
    --tags "Key=courier-ssh,Value=$wanted"
}

# settle_rules GROUP FOUND: allow SSH from one range (or none), and nothing from the whole internet. Without FOUND, the
# group is new and has no rules.
settle_rules() {
  local rules="" rule protocol from to v4 v6 is_open=false
  [[ -z $2 ]] || rules=$(aws_lookup ec2 describe-security-group-rules \
    --filters "Name=group-id,Values=$1" \
    --query 'SecurityGroupRules[?!IsEgress].[SecurityGroupRuleId,IpProtocol,FromPort,ToPort,CidrIpv4,CidrIpv6]' \
    --output text)
  while read -r rule protocol from to v4 v6; do
    [[ -n $rule ]] || continue
    if [[ -n $ssh_cidr && "$protocol $from $to $v4" == "tcp 22 22 $ssh_cidr" ]]; then
      is_open=true
    elif [[ "$v4 $v6" == *0.0.0.0/0* || "$v4 $v6" == *::/0* ]] || covers_ssh "$protocol" "$from" "$to"; then
      aws_apply ec2 revoke-security-group-ingress --group-id "$1" --security-group-rule-ids "$rule"
    else
      say "left as it is: rule $rule of $(group_name), $protocol $from to $to from $v4 $v6"
    fi
  done <<<"$rules"
  [[ -z $ssh_cidr ]] || $is_open || aws_apply ec2 authorize-security-group-ingress \
    --group-id "$1" \
    --protocol tcp \
    --port 22 \
    --cidr "$ssh_cidr"
}

covers_ssh() { # protocol, from, to
  [[ $1 == -1 ]] || { [[ $1 == tcp && $2 =~ ^[0-9]+$ ]] && (($2 <= 22 && $3 >= 22)); }
}

remove_group() {
  [[ $known_group_owner != "$name" ]] || aws_apply ec2 delete-security-group --group-id "$known_group"
}

# make_key: a key pair made on this machine; AWS gets the public key only.
make_key() {
  local there file
  file=$(key_file)
  if [[ $(key_name) == vockey ]]; then
    say "key vockey belongs to the lab: its private key (labsuser.pem) is under AWS Details, Download PEM"
    return
  fi
  there=$(aws_lookup ec2 describe-key-pairs \
    --key-names "$(key_name)" \
    --include-public-key \
    --query "KeyPairs[0].PublicKey || '-'" \
    --output text)
  if [[ ! -f $file && -n $there ]]; then
    warn "AWS has the key $(key_name), but $file does not exist; the verbs ssh and logs need it. Give its private key with --key."
    return
  fi
  [[ -f $file ]] || generate_key "$file"
  if [[ -z $there ]]; then
    public_half "$file"
    aws_apply ec2 import-key-pair \
      --key-name "$(key_name)" \
      --public-key-material "fileb://$scratch/key.pub" \
      --tag-specifications "ResourceType=key-pair,Tags=[{Key=courier,Value=$name}]"
    return
  fi
  public_half "$file"
  if [[ $there != - && "$(cut -d ' ' -f 1-2 "$scratch/key.pub")" != "$(cut -d ' ' -f 1-2 <<<"$there")" ]]; then
    die 1 "The key $(key_name) in AWS differs from $file. Give the right file with --key, or delete the key in AWS: aws ec2 delete-key-pair --key-name $(key_name)"
  else
    say "key $(key_name) exists"
  fi
}

# public_half FILE: write the public key to key.pub.
public_half() {
  $dry && [[ ! -f $1 ]] && return
  ssh-keygen -y -P '' -f "$1" >"$scratch/key.pub" 2>"$scratch/key.errors" ||
    die 1 "The key $1 cannot be read: $(one_line "$(<"$scratch/key.errors")") Only you may have access to it (chmod 600), and it must have no passphrase."
}

generate_key() { # file
  if $dry; then
    say "would run: ssh-keygen -t ed25519 -f $1"
    return
  fi
  say "+ ssh-keygen -t ed25519 -f $1"
  { mkdir -p "$(dirname "$1")" && (umask 077 && ssh-keygen -q -t ed25519 -N '' -C "$(key_name)" -f "$1" </dev/null >/dev/null); } 2>"$scratch/key.errors" ||
    die 1 "The key $1 cannot be written: $(one_line "$(<"$scratch/key.errors")") Name another file with --key, or use --no-ssh."
}

# own_key: the key's name if this set-up imported it.
own_key() {
  aws_lookup ec2 describe-key-pairs \
    --filters "Name=key-name,Values=$(key_name)" "Name=tag:courier,Values=$name" \
    --query "KeyPairs[0].KeyName" \
    --output text
}

remove_key() {
  local there
  [[ $(key_name) != vockey ]] || return 0
  there=$(own_key)
  [[ -z $there ]] || aws_apply ec2 delete-key-pair --key-name "$(key_name)"
}
