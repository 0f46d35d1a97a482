<?php
$url = '{{url}}/api/v1/webhook/courier/status-update';
$apiKey = 'YOUR_API_KEY_HERE';

$data = [
    'restaurantId' => '507f1f77bcf86cd799439011',
    'orderId' => '507f1f77bcf86cd799439012',
    'status' => 1
];

$ch = curl_init($url);
curl_setopt($ch, CURLOPT_POST, 1);
curl_setopt($ch, CURLOPT_POSTFIELDS, json_encode($data));
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
curl_setopt($ch, CURLOPT_HTTPHEADER, [
    'Content-Type: application/json',
    'x-api-key: ' . $apiKey
]);

$response = curl_exec($ch);
curl_close($ch);

print_r(json_decode($response, true));
?>
