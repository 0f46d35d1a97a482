async function report(restaurantId, orderId, status) {
  for (let wait = 1; ; wait *= 2) {
    let response

    try {
      response = await fetch('{{url}}/api/v1/webhook/courier/status-update', {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          'x-api-key': 'YOUR_API_KEY_HERE',
          'Idempotency-Key': `${orderId}-${status}`,
        },
        body: JSON.stringify({ restaurantId, orderId, status }),
        signal: AbortSignal.timeout(10_000),
      })
      if (response.status < 500) return await response.json()
    } catch (error) {
      console.error(error)
    }
    if (wait > 60) throw new Error(`order ${orderId} is not reported`)
    const seconds = Number(response?.headers.get('Retry-After') ?? wait)
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds))
  }
}

console.log(await report('507f1f77bcf86cd799439011', '507f1f77bcf86cd799439012', 2))
