const response = await fetch('{{url}}/api/v1/webhook/courier/ping', {
  headers: { 'x-api-key': 'YOUR_API_KEY_HERE' },
})

console.log(response.status, await response.json())
