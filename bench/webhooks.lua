-- Moves one order a request, ids counting up from 1, and says at the end what came back.
local n = 0
function init(args)
  headers = {["Content-Type"] = "application/json", ["x-api-key"] = args[1]}
  restaurant = args[2]
end
function request()
  n = n + 1
  return wrk.format("POST", "/api/v1/webhook/courier/status-update", headers,
    string.format('{"restaurantId":"%s","orderId":"%024x","status":1}', restaurant, n))
end
function done(summary, latency)
  io.write(string.format("\nresult %d %d %d %d %d\n", summary.requests, summary.duration, summary.errors.status +
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
