# shellcheck shell=bash
# autoscaling.sh: with --workers MIN-MAX, scale the number of instances by the number of waiting requests.

#: Waiting requests per instance above which another instance starts: chosen by simulation, docs/adr/0030.
readonly backlog_per_machine=400

subnets=""
is_new_type=false

template_name() { say "$name-workers"; }

# metrics: waiting requests / instances in service, as CloudWatch computes it.
tracking() {
  local metric='{"Id":"%s","MetricStat":{"Metric":{"Namespace":"%s","MetricName":"%s","Dimensions":[{"Name":"%s","Value":"%s"}]},"Stat":"%s"},"ReturnData":false}'
  printf '{"TargetValue":%d,"CustomizedMetricSpecification":{"Metrics":[' "$backlog_per_machine"
  # shellcheck disable=SC2059
  {
    printf "$metric," numbers AWS/SQS ApproximateNumberOfMessagesVisible QueueName "${served_names[0]}" Sum
    printf "$metric," images AWS/SQS ApproximateNumberOfMessagesVisible QueueName "${served_names[1]}" Sum
    printf "$metric," machines AWS/AutoScaling GroupInServiceInstances AutoScalingGroupName "$(template_name)" Average
  }
  printf '{"Id":"backlog","Expression":"(numbers+images)/machines","ReturnData":true}]}}'
}

# keep_fleet: without --workers, an existing group stays as it is.
keep_fleet() {
  local there least most
  ! $fleet || return 0
  there=$(find_scaling_group)
  read -r least most _ <<<"$there"
  [[ -n $least ]] || return 0
  fleet=true
  workers="$least-$most"
}

make_fleet() {
  make_template
  make_scaling_group
  begin enable_metrics
  begin make_tracking
  finish
  end_lone_machines
  ! $dry || limit_bursts
}

# lift_limits: let the first instances of a new group boot without a limit, until limit_bursts.
lift_limits() {
  local ids started=$SECONDS
  # No emulator has CPU credits.
  is_real && ! $is_lab && $is_new_group && is_burstable "$instance_type" || return 0
  until
    ids=$(find_burstable pending,running)
    [[ -n $ids ]] || ((SECONDS - started >= retry_seconds))
  do
    sleep "$pause_seconds"
  done
  # shellcheck disable=SC2086
  set_credits unlimited $ids
}

# An instance that was launched without the group would never be scaled in.
end_lone_machines() {
  local lone
  lone=$(aws_lookup ec2 describe-instances \
    --filters "Name=tag:courier,Values=$name" "Name=instance-state-name,Values=$alive" \
    --query "Reservations[].Instances[?!not_null(Tags[?Key=='aws:autoscaling:groupName'].Value | [0])].InstanceId[]" \
    --output text | tr '\t\n' '  ')
  # shellcheck disable=SC2086
  [[ -z ${lone// /} ]] || aws_apply ec2 terminate-instances --instance-ids $lone
}

template_data() { # the security group's id
  local more="" image
  # EC2 looks up the newest image at each launch, so that a newer image is no drift; with the rights of the caller.
  image=$(image_of_parameter)
  if [[ -n $image ]]; then image=resolve:ssm:$(image_parameter); else image=$(listed_image); fi
  $no_ssh || more="\"KeyName\":\"$(key_name)\","
  # An instance that starts when requests wait must not cost more than its price; its boot takes some minutes longer.
  ! is_burstable "$instance_type" || more+='"CreditSpecification":{"CpuCredits":"standard"},'
  printf '{"ImageId":"%s","InstanceType":"%s",%s' "$image" "$instance_type" "$more"
  printf '"NetworkInterfaces":[{"DeviceIndex":0,"AssociatePublicIpAddress":true,"Groups":["%s"]}],' "$1"
  printf '"IamInstanceProfile":{"Name":"%s"},"MetadataOptions":{"HttpTokens":"required","HttpPutResponseHopLimit":1},' "$(profile_name)"
  printf '"BlockDeviceMappings":[{"DeviceName":"/dev/xvda","Ebs":{"VolumeType":"gp3","VolumeSize":8,"Encrypted":true}}],'
  printf '"TagSpecifications":[{"ResourceType":"instance","Tags":[{"Key":"Name","Value":"%s-worker"},{"Key":"courier","Value":"%s"}]},' "$name" "$name"
  printf '{"ResourceType":"volume","Tags":[{"Key":"courier","Value":"%s"}]}],' "$name"
  printf '"UserData":"%s"}' "$(base64 <"$scratch/user-data" | tr -d '\n')"
}

# make_template: a launch template; a new version if its content has changed.
make_template() {
  local there kind group data sum
  # The description of a version is the checksum of its content.
  there=$(aws_lookup ec2 describe-launch-template-versions \
    --launch-template-name "$(template_name)" \
    --versions '$Latest' \
    --query "LaunchTemplateVersions[0].[VersionDescription || '-', LaunchTemplateData.InstanceType]" \
    --output text)
  read -r there kind <<<"$there"
  if [[ -n $kind && -z $given_type ]]; then instance_type=$kind; fi
  [[ -z $kind || $kind == "$instance_type" ]] || is_new_type=true
  write_user_data
  group=$(made_group)
  data=$(template_data "$group")
  sum=$(sha256 <<<"$data" | cut -c 1-16)
  if [[ -z $there ]]; then
    aws_apply ec2 create-launch-template \
      --launch-template-name "$(template_name)" \
      --version-description "$sum" \
      --launch-template-data "$data" \
      --tag-specifications "ResourceType=launch-template,Tags=[{Key=courier,Value=$name}]"
  elif [[ $there != "$sum" ]]; then
    aws_apply ec2 create-launch-template-version \
      --launch-template-name "$(template_name)" \
      --version-description "$sum" \
      --launch-template-data "$data"
  else
    say "launch template $(template_name) is as it should be"
  fi
}

find_scaling_group() {
  aws_lookup autoscaling describe-auto-scaling-groups \
    --auto-scaling-group-names "$(template_name)" \
    --query "AutoScalingGroups[?!Status] | [0].[MinSize,MaxSize,DesiredCapacity,EnabledMetrics[0].Metric || '-']" \
    --output text
}

make_scaling_group() {
  local there least most
  there=$(find_scaling_group)
  if [[ -z $there ]]; then
    find_subnets
    is_new_group=true
    aws_apply autoscaling create-auto-scaling-group \
      --auto-scaling-group-name "$(template_name)" \
      --launch-template "LaunchTemplateName=$(template_name),Version=\$Latest" \
      --min-size "${workers%-*}" \
      --max-size "${workers#*-}" \
      --vpc-zone-identifier "$subnets" \
      --tags "Key=courier,Value=$name,PropagateAtLaunch=true" "Key=Name,Value=$name-worker,PropagateAtLaunch=true"
    return
  fi
  read -r least most _ <<<"$there"
  [[ "$least-$most" == "$workers" ]] || aws_apply autoscaling update-auto-scaling-group \
    --auto-scaling-group-name "$(template_name)" \
    --min-size "${workers%-*}" \
    --max-size "${workers#*-}"
  $is_new_type || return 0
  find_subnets
  aws_apply autoscaling update-auto-scaling-group \
    --auto-scaling-group-name "$(template_name)" \
    --vpc-zone-identifier "$subnets"
}

# find_subnets: set `subnets` to those of the zones that offer the instance type.
find_subnets() {
  local zones
  # Not every zone offers every type: us-east-1e has no t3.
  zones=$(aws_require ec2 describe-instance-type-offerings \
    --location-type availability-zone \
    --filters "Name=instance-type,Values=$instance_type" \
    --query "join(',', InstanceTypeOfferings[].Location)" \
    --output text)
  [[ -n $zones ]] || die 1 "There is no $instance_type in $region. Choose another with --type."
  subnets=$(aws_require ec2 describe-subnets \
    --filters Name=default-for-az,Values=true "Name=availability-zone,Values=$zones" \
    --query "join(',', Subnets[].SubnetId)" \
    --output text)
  [[ -n $subnets ]] || die 1 "$no_network"
}

enable_metrics() {
  local there
  there=$(find_scaling_group)
  [[ $there == *GroupInServiceInstances ]] || aws_apply autoscaling enable-metrics-collection \
    --auto-scaling-group-name "$(template_name)" \
    --granularity 1Minute \
    --metrics GroupInServiceInstances
}

make_tracking() {
  local there
  there=$(aws_lookup autoscaling describe-policies \
    --auto-scaling-group-name "$(template_name)" \
    --policy-names backlog \
    --query "ScalingPolicies[0].TargetTrackingConfiguration.[TargetValue,CustomizedMetricSpecification.Metrics[?Id=='backlog'].Expression | [0]]" \
    --output text)
  [[ $there == "$backlog_per_machine".0$'\t(numbers+images)/machines' ]] || aws_apply autoscaling put-scaling-policy \
    --auto-scaling-group-name "$(template_name)" \
    --policy-name backlog \
    --policy-type TargetTrackingScaling \
    --target-tracking-configuration "$(tracking)"
}

# A group that is being deleted is listed until its instances are terminated.
await_end_of_group() {
  local left started=$SECONDS
  ! $dry || return 0
  while ((SECONDS - started < 20 * retry_seconds)); do
    left=$(aws_lookup autoscaling describe-auto-scaling-groups \
      --auto-scaling-group-names "$(template_name)" \
      --query "AutoScalingGroups[].AutoScalingGroupName" \
      --output text)
    [[ -n $left ]] || return 0
    sleep "$pause_seconds"
  done
}

find_template() {
  aws_lookup ec2 describe-launch-templates \
    --launch-template-names "$(template_name)" \
    --query "LaunchTemplates[0].LaunchTemplateName" \
    --output text
}

remove_fleet() {
  local there
  there=$(find_scaling_group)
  [[ -z $there ]] || aws_apply autoscaling delete-auto-scaling-group \
    --auto-scaling-group-name "$(template_name)" \
    --force-delete
  await_end_of_group
  there=$(find_template)
  [[ -z $there ]] || aws_apply ec2 delete-launch-template --launch-template-name "$(template_name)"
}
