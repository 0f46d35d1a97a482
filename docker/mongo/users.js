// SPDX-License-Identifier: Apache-2.0
// users.js - run once, by the image's entrypoint, on an empty volume: the user that kuryed logs in as.
const password = require('fs').readFileSync('/run/secrets/mongo_password', 'utf8').trim();
db.getSiblingDB('kurye').createUser({user: 'kurye', pwd: password, roles: [{role: 'readWrite', db: 'kurye'}]});
