-- Moves one order a request, ids counting up from behind the third argument. With a fourth above 0, each connection asks once
-- in so many ms on average, at random. With a fifth it stops after so many, for who has no more orders than that.
require "result"
local ffi = require "ffi"
ffi.cdef "struct moment { long s, ns; }; int clock_gettime(int, struct moment *);"

local function now()
  local moment = ffi.new "struct moment"
  ffi.C.clock_gettime(1, moment)
  return tonumber(moment.s) * 1e6 + tonumber(moment.ns) / 1e3
end
function init(args)
  headers = {["Content-Type"] = "application/json", ["x-api-key"] = args[1]}
  restaurant, n, pause, last = args[2], tonumber(args[3]), tonumber(args[4]), args[3] + args[5]
  began = now()
  if pause > 0 then
    math.randomseed(1)
    function delay() return math.random(0, 2 * pause) end
  end
end
function request()
  if n >= last and not took then
    took = now() - began
    wrk.thread:stop()
  end
  n = n + 1
  return wrk.format("POST", "/api/v1/webhook/courier/status-update", headers,
    string.format('{"restaurantId":"%s","orderId":"%024d","status":1}', restaurant, n))
end
