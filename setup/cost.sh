# shellcheck shell=bash
# cost.sh: estimate the cost of a set-up per month.

# estimate: print the cost. Only the type that is used by default depends on the account; without one, that is t3.micro.
estimate() {
  local found
  if [[ -z $instance_type ]] && found=$(connect 2>/dev/null && say "$is_lab"); then is_lab=$found; fi
  choose_type
  cost | pass
}

# cost: list prices of us-east-1 in dollars, November 2026. https://aws.amazon.com/ec2/pricing/on-demand/
cost() {
  local hour=0.0104
  case $instance_type in
    t2.micro) hour=0.0116 ;;
    t3.micro) ;;
    t3.small) hour=0.0208 ;;
    t3.medium) hour=0.0416 ;;
    t4g.micro) hour=0.0084 ;;
    t4g.small) hour=0.0168 ;;
    *) die 2 "There is no price for $instance_type here. See https://aws.amazon.com/ec2/pricing/on-demand/" ;;
  esac
  awk -v hour="$hour" -v kind="$instance_type" -v json="$as_json" -v machines="${workers#*-}" -v fleet="$fleet" -v alarms="$alarm_mail" '
    function line(what, dollars) {
      if (json == "true") printf "{\"what\": \"%s\", \"dollars_a_month\": %.2f}\n", what, dollars
      else printf "%-58s %8.2f\n", what, dollars
      total += dollars
    }
    BEGIN {
      line(machines " x " kind ", running day and night", machines * 730 * hour)
      line("its public address, while running", machines * 730 * 0.005)
      line("its disk of 8 GB, running or stopped", machines * 8 * 0.08)
      # Both cores for the fifteen minutes that up waits; other types have credits from the start, or no limit.
      burst = kind ~ /^t4g/ ? 0.04 : kind ~ /^t3/ ? 0.05 : 0
      line("CPU credits of its first boot, once and at most", machines * 2 * 0.25 * burst)
      line("two idle workers polling (2 x 292,000 calls)", 2 * 292000 * 0.4 / 1e6)
      # Two alarms of target tracking, each over three metrics.
      if (fleet == "true") line("the two alarms that start and end machines", 6 * 0.10)
      # Two alarms of three over two metrics each.
      if (alarms != "") line("--alarm-mail: six alarms over eight metrics", 8 * 0.10)
      if (alarms != "") line("--alarm-mail: the dashboard (the first three are free)", 3)
      line("a thousand images (PUT, GET, LIST, queue)", 0.0146)
      line("a million lists of numbers, in batches of ten", 0.24)
      if (json != "true") {
        printf "%-58s %8.2f\n", "total", total
        print "While stopped (./aws_setup.sh stop), only the disk costs money. List prices of us-east-1, without the free tier."
      }
    }'
}
