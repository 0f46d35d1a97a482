-- Asks again and again for the newest 50 orders of the restaurant whose token is given.
require "result"
function init(args)
  wrk.path, wrk.headers["Authorization"] = "/api/v1/orders?limit=50", "Bearer " .. args[1]
end
