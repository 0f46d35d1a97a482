-- Moves one order a request, ids counting up from 1, or from behind the third argument, and says at the end what came back.
-- With a fourth, each connection asks once in so many ms on average, at random.
function init(args)
  headers = {["Content-Type"] = "application/json", ["x-api-key"] = args[1]}
  restaurant, n = args[2], tonumber(args[3] or 0)
  if args[4] then
    math.randomseed(1)
    function delay() return math.random(0, 2 * tonumber(args[4])) end
  end
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
