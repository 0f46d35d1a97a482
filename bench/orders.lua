-- Makes one order a request, ids counting up from 1, in the restaurant whose token is given.
require "result"
local n = 0
function init(args)
  headers = {["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. args[1]}
  platform = args[2]
end
function request()
  n = n + 1
  return wrk.format("POST", "/api/v1/orders", headers, string.format(
    '{"platform":"%s","platformOrderId":"00000000-0000-0000-0000-%012x","orderId":"%024d","price":125.5,' ..
    '"paymentMethod":"card","items":[{"name":"Lahmacun","quantity":2}],"customer":{"details":{"name":"A B",' ..
    '"phone":"+905551234567"},"address":{"detailedAddress":"Bağdat Caddesi 123"}}}', platform, n, n))
end
