<?php
$ch = curl_init('{{url}}/api/v1/webhook/courier/ping');
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
curl_setopt($ch, CURLOPT_HTTPHEADER, ['x-api-key: YOUR_API_KEY_HERE']);
$response = curl_exec($ch);
print_r(json_decode($response, true));
