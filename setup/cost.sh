# shellcheck shell=bash
# cost.sh: what a set-up costs a month.

# What a month costs, as far as it is known here: list prices of us-east-1, November 2026, in dollars. https://aws.amazon.com/ec2/pricing/on-demand/
cost() {
  local hour=0.0104
  case $instance_type in
    t2.micro) hour=0.0116 ;;
    t3.micro) ;;
    t3.small) hour=0.0208 ;;
    t3.medium) hour=0.0416 ;;
    t4g.micro) hour=0.0084 ;;
    t4g.small) hour=0.0168 ;;
    *) die 2 "The price of $instance_type is not known here. See https://aws.amazon.com/ec2/pricing/on-demand/" ;;
  esac
  awk -v hour="$hour" -v kind="$instance_type" -v json="$as_json" -v machines="${workers#*-}" -v fleet="$fleet" '
    function line(what, dollars) {
      if (json == "true") printf "{\"what\": \"%s\", \"dollars_a_month\": %.2f}\n", what, dollars
      else printf "%-58s %8.2f\n", what, dollars
      total += dollars
    }
    BEGIN {
      line(machines " x " kind ", running day and night", machines * 730 * hour)
      line("its public address, while it runs", machines * 730 * 0.005)
      line("its disk of 8 GB, running or stopped", machines * 8 * 0.08)
      line("two idle workers polling (2 x 131,400 calls)", 2 * 131400 * 0.4 / 1e6)
      # Two alarms of target tracking, each over three metrics.
      if (fleet == "true") line("the two alarms that start and end machines", 6 * 0.10)
      line("a thousand pictures (PUT, GET, LIST, queue)", 0.011)
      line("a million lists of numbers, by tens", 0.24)
      if (json != "true") {
        printf "%-58s %8.2f\n", "together", total
        print "Stopped (./aws_setup.sh stop), only the disk is paid. List prices of us-east-1; the free tier is not included."
      }
    }'
}
