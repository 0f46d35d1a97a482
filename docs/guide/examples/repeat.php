<?php
function report(string $restaurantId, string $orderId, int $status): array
{
    for ($wait = 1; ; $wait *= 2) {
        $retryAfter = null;
        $ch = curl_init('{{url}}/api/v1/webhook/courier/status-update');
        curl_setopt_array($ch, [
            CURLOPT_POSTFIELDS => json_encode(compact('restaurantId', 'orderId', 'status')),
            CURLOPT_HTTPHEADER => [
                'Content-Type: application/json',
                'x-api-key: YOUR_API_KEY_HERE',
                "Idempotency-Key: $orderId-$status",
            ],
            CURLOPT_HEADERFUNCTION => function ($ch, $line) use (&$retryAfter) {
                if (preg_match('/^Retry-After: *(\d+)/i', $line, $found)) {
                    $retryAfter = (int) $found[1];
                }
                return strlen($line);
            },
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT => 10,
        ]);
        $response = curl_exec($ch);
        if ($response !== false && curl_getinfo($ch, CURLINFO_RESPONSE_CODE) < 500) {
            return json_decode($response, true);
        }
        if ($wait > 60) {
            throw new RuntimeException("order $orderId is not reported");
        }
        sleep($retryAfter ?? $wait);
    }
}

print_r(report('507f1f77bcf86cd799439011', '507f1f77bcf86cd799439012', 2));
