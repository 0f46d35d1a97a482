-- What each load says at its end: requests, microseconds, how many were not answered 200, percentiles of the latency. A
-- script that stops before its time says in `took` how long it was at it.
function setup(thread)
  loader = thread
end
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("\nresult %d %d %d %d %d\n", summary.requests, loader:get("took") or summary.duration,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50), latency:percentile(99)))
end
