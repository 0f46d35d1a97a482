-- Webhooks with keys that nobody has, each from another address, and each connection pausing for so many ms; one that is
-- told too much is no error. The file has a key a line.
function init(args)
  math.randomseed(2)
  keys = {}
  for key in io.lines(args[1]) do keys[#keys + 1] = key end
  pause = tonumber(args[2])
  body = string.format('{"restaurantId":"%s","orderId":"%024x","status":1}', args[3], 1)
end
function delay()
  return math.random(0, 2 * pause)
end
function request()
  return wrk.format("POST", "/api/v1/webhook/courier/status-update", {["Content-Type"] = "application/json",
    ["x-api-key"] = keys[math.random(#keys)],
    ["X-Forwarded-For"] = string.format("10.%d.%d.%d", math.random(0, 255), math.random(0, 255), math.random(0, 255))}, body)
end
