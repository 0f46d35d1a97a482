-- Asks how far orders are, each connection once a second on average and at random: its wait is not the answer's, so that a
-- slow answer keeps nobody else from asking.
require "result"
function init(args)
  math.randomseed(1)
  headers = {["Authorization"] = "Bearer " .. args[1]}
  orders = {}
  for order in args[2]:gmatch("%x+") do orders[#orders + 1] = order end
end
function delay()
  return math.random(0, 2000)
end
function request()
  return wrk.format("GET", "/order/" .. orders[math.random(#orders)] .. "/status", headers)
end
