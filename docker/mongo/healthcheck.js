// SPDX-License-Identifier: Apache-2.0
// healthcheck.js - healthy is who takes writes. A node that is of no set yet is made the only one of its own, which needs
// its user: while the entrypoint makes that, it cannot log in, and is not healthy.
const password = require('fs').readFileSync('/run/secrets/mongo_root_password', 'utf8').trim();
const admin = db.getSiblingDB('admin');
admin.auth('root', password);
if (!admin.hello().setName)
  admin.runCommand({replSetInitiate: {_id: 'rs0', members: [{_id: 0, host: 'mongo:27017'}]}});
const now = admin.hello();
quit(now.setName && now.isWritablePrimary ? 0 : 1);
