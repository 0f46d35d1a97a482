const response = await fetch('{{url}}/api/v1/webhook/courier/status-update', {
  method: 'POST',
  headers: {
    'Content-Type': 'application/json',
    'x-api-key': 'YOUR_API_KEY_HERE',
  },
  body: JSON.stringify({
    restaurantId: '507f1f77bcf86cd799439011',
    orderId: '507f1f77bcf86cd799439012',
    status: 1,
  }),
})

const data = await response.json()
console.log(data)
