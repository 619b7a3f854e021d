# shellcheck shell=bash
# alarms.sh: with --alarm-mail ADDRESS, alarms of CloudWatch that send mail through a topic of SNS, and a dashboard.

#: The age of the oldest request above which there is an alarm.
readonly alarm_seconds=120
#: How many minutes in a row requests must wait with none in flight.
readonly alarm_minutes=3
readonly worker_expression="IF(waiting > 0 AND inflight < 1, 1, 0)"

known_topic=""
topic_owner=""
known_alarms=""
has_dashboard=false

topic_name() { say "courier-$name-alarms"; }

topic_arn() { say "arn:$partition:sns:$region:$account:$(topic_name)"; }

dashboard_name() { say "courier-$name"; }

# alarm_names: one a line.
alarm_names() {
  local application
  for application in numbers images; do
    say "courier-$name-$application-oldest"
    say "courier-$name-$application-dead"
    say "courier-$name-$application-no-worker"
  done
}

# check_alarm_mail: exit unless the address given is one.
check_alarm_mail() {
  [[ -z $alarm_mail || $alarm_mail =~ ^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+$ ]] ||
    die 2 "--alarm-mail is '$alarm_mail', and must be an e-mail address."
}

# look_for_alarms COMMAND...: aws_lookup; without the permission to look, and unless alarms are wanted, there are none.
look_for_alarms() {
  local errors found status=0
  found=$(aws_lookup "$@" 2>"$scratch/alarms$lane") || status=$?
  read_file errors "$scratch/alarms$lane"
  if ((status == 0)); then
    [[ -z $found ]] || say "$found"
  elif [[ -n $alarm_mail || $errors != *"no permission"* ]]; then
    printf '%s\n' "$errors" >&2
    return "$status"
  fi
}

# find_topic: set `known_topic` if the topic is this set-up's, and `topic_owner`.
find_topic() {
  known_topic=""
  topic_owner=$(look_for_alarms sns list-tags-for-resource \
    --resource-arn "$(topic_arn)" \
    --query "Tags[?Key=='courier'].Value | [0] || '-'" \
    --output text)
  [[ -z $topic_owner || $topic_owner == "$name" || -z $alarm_mail ]] ||
    die 1 "The topic $(topic_name) was not created by this set-up. Delete it (aws sns delete-topic --topic-arn $(topic_arn)), or choose another --name."
  [[ $topic_owner != "$name" ]] || known_topic=$(topic_arn)
}

# find_alarms: set `known_alarms` to the names of those that exist. They stay when the topic is deleted.
find_alarms() {
  local names
  names=$(alarm_names)
  # shellcheck disable=SC2086
  known_alarms=$(look_for_alarms cloudwatch describe-alarms \
    --alarm-names $names \
    --query "MetricAlarms[].AlarmName" \
    --output text)
}

# find_dashboard: set `has_dashboard`. All regions share the dashboards: one of another region is another set-up's.
find_dashboard() {
  local there
  there=$(look_for_alarms cloudwatch get-dashboard \
    --dashboard-name "$(dashboard_name)" \
    --query DashboardBody \
    --output text)
  there=$(compact <<<"$there")
  [[ $there != *"\"region\":\"$region\""* ]] || has_dashboard=true
}

# make_alarms: without --alarm-mail, only repair those that exist.
make_alarms() {
  local flags=""
  find_topic
  if [[ -z $alarm_mail && -z $known_topic ]]; then
    # Another's topic of this name is left as it is.
    [[ -z $topic_owner ]] || return 0
    find_alarms
    [[ -n $known_alarms ]] || return 0
    $with_ec2 || flags=" --no-ec2"
    say "The topic $(topic_name) is gone. Nobody gets mail until you give an address again: ./aws_setup.sh up$flags --alarm-mail ADDRESS"
  fi
  [[ -n $known_topic ]] || aws_apply sns create-topic \
    --name "$(topic_name)" \
    --tags "Key=courier,Value=$name"
  begin subscribe
  begin make_each_alarm
  begin make_dashboard
  finish
}

subscribe() {
  local there
  [[ -n $alarm_mail ]] || return 0
  [[ -z $known_topic ]] || there=$(aws_lookup sns list-subscriptions-by-topic \
    --topic-arn "$known_topic" \
    --query "Subscriptions[?Protocol=='email'].Endpoint" \
    --output text)
  if [[ $'\t'${there:-}$'\t' != *$'\t'"$alarm_mail"$'\t'* ]]; then
    aws_apply sns subscribe \
      --topic-arn "$(topic_arn)" \
      --protocol email \
      --notification-endpoint "$alarm_mail"
    say "AWS sends $alarm_mail a message with a link. Until it is confirmed there, no alarm is sent"
  fi
}

make_each_alarm() {
  local there names queue application=numbers
  names=$(alarm_names)
  # shellcheck disable=SC2086
  there=$(aws_lookup cloudwatch describe-alarms \
    --alarm-names $names \
    --query "MetricAlarms[].[AlarmName,Threshold,EvaluationPeriods,TreatMissingData,ActionsEnabled,join(',',AlarmActions),MetricName||(Metrics[?ReturnData].Expression|[0]),(Dimensions||Metrics[0].MetricStat.Metric.Dimensions)[0].Value]" \
    --output text)
  for queue in "${served_names[@]}"; do
    begin make_alarm oldest "courier-$name-$application-oldest" "$queue" "$there"
    begin make_alarm dead "courier-$name-$application-dead" "$queue-dead" "$there"
    begin make_alarm no_worker "courier-$name-$application-no-worker" "$queue" "$there"
    application=images
  done
  finish
}

# make_alarm KIND NAME QUEUE EXISTING: create it, or repair what has drifted.
make_alarm() {
  local threshold=0 periods=1 metric=ApproximateNumberOfMessagesVisible wanted options
  case $1 in
    oldest) threshold=$alarm_seconds metric=ApproximateAgeOfOldestMessage ;;
    no_worker) periods=$alarm_minutes metric=$worker_expression ;;
  esac
  wanted=$(printf '%s\t%s.0\t%s\tnotBreaching\tTrue\t%s\t%s\t%s' "$2" "$threshold" "$periods" "$(topic_arn)" "$metric" "$3")
  [[ $'\n'$4$'\n' != *$'\n'"$wanted"$'\n'* ]] || return 0
  if [[ $1 == no_worker ]]; then
    options=(--metrics "$(worker_metrics "$3")")
  else
    options=(--namespace AWS/SQS --metric-name "$metric" --dimensions "Name=QueueName,Value=$3" --statistic Maximum --period 60)
  fi
  aws_apply cloudwatch put-metric-alarm \
    --alarm-name "$2" \
    --alarm-description "$(describe_alarm "$1" "$3")" \
    "${options[@]}" \
    --evaluation-periods "$periods" \
    --threshold "$threshold" \
    --comparison-operator GreaterThanThreshold \
    --treat-missing-data notBreaching \
    --alarm-actions "$(topic_arn)" \
    --tags "Key=courier,Value=$name"
}

describe_alarm() { # kind, queue
  case $1 in
    oldest) say "A request has waited in $2 for more than $alarm_seconds s: too few workers, or none. Find the cause: ./aws_setup.sh doctor" ;;
    dead) say "There are messages in the dead-letter queue $2. Show them: python numbers_client.py dead, or images_client.py" ;;
    no_worker) say "Requests wait in $2 and none is in flight for $alarm_minutes minutes: no worker runs. Start it: ./aws_setup.sh start" ;;
  esac
}

# worker_metrics QUEUE: 1 while requests wait and none is in flight.
worker_metrics() {
  local metric='{"Id":"%s","MetricStat":{"Metric":{"Namespace":"AWS/SQS","MetricName":"%s","Dimensions":[{"Name":"QueueName","Value":"%s"}]},"Period":60,"Stat":"Minimum"},"ReturnData":false}'
  # shellcheck disable=SC2059
  printf "[$metric,$metric,"'{"Id":"stuck","Expression":"%s","ReturnData":true}]' \
    waiting ApproximateNumberOfMessagesVisible "$1" inflight ApproximateNumberOfMessagesNotVisible "$1" "$worker_expression"
}

make_dashboard() {
  local there wanted
  wanted=$(dashboard)
  there=$(aws_lookup cloudwatch get-dashboard \
    --dashboard-name "$(dashboard_name)" \
    --query DashboardBody \
    --output text)
  [[ $there == "$wanted" ]] || aws_apply cloudwatch put-dashboard \
    --dashboard-name "$(dashboard_name)" \
    --dashboard-body "$wanted"
}

# dashboard: its JSON: four charts, each with both applications.
dashboard() {
  printf '{"widgets":['
  widget 0 0 "Requests that wait" Maximum ApproximateNumberOfMessagesVisible ""
  printf ','
  widget 12 0 "Requests in flight" Maximum ApproximateNumberOfMessagesNotVisible ""
  printf ','
  widget 0 6 "Age of the oldest request in seconds" Maximum ApproximateAgeOfOldestMessage ""
  printf ','
  widget 12 6 "Dead letters" Maximum ApproximateNumberOfMessagesVisible -dead
  printf ']}'
}

widget() { # x, y, title, statistic, metric, suffix of the queues
  printf '{"type":"metric","x":%d,"y":%d,"width":12,"height":6,"properties":{"title":"%s","region":"%s","stat":"%s","period":60,"metrics":[' "$1" "$2" "$3" "$region" "$4"
  printf '["AWS/SQS","%s","QueueName","%s%s"],["AWS/SQS","%s","QueueName","%s%s"]]}}' \
    "$5" "${served_names[0]}" "$6" "$5" "${served_names[1]}" "$6"
}

# inventory_of_alarms: what there is to remove, one line each. Each is found by its own name: one may be gone already.
inventory_of_alarms() {
  local one
  find_topic
  find_alarms
  find_dashboard
  [[ -z $known_topic ]] || say "topic $(topic_name)"
  for one in $known_alarms; do say "alarm $one"; done
  ! $has_dashboard || say "dashboard $(dashboard_name)"
}

remove_alarms() {
  # shellcheck disable=SC2086
  [[ -z $known_alarms ]] || aws_apply cloudwatch delete-alarms --alarm-names $known_alarms
  ! $has_dashboard || aws_apply cloudwatch delete-dashboards --dashboard-names "$(dashboard_name)"
  [[ -z $known_topic ]] || aws_apply sns delete-topic --topic-arn "$known_topic"
}
