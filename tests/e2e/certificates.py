# SPDX-License-Identifier: Apache-2.0
"""certificates.py - an authority of a test's own, and servers' contexts with what it signed, or did not."""

import datetime
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


class Authority:
    def __init__(self, folder, name="Deneme CA"):
        self.folder = Path(folder)
        self.key, self.name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self.name, self.key, self.name, self.key, -DAY, DAY,
                                      x509.BasicConstraints(ca=True, path_length=None))
        self.path = self.folder / f"{id(self)}.authority.pem"
        self.path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    @staticmethod
    def _sign(name, key, issuer, by, begins, ends, *extensions):
        now = datetime.datetime.utcnow()
        made = (x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(now + begins).not_valid_after(now + ends))
        for extension in extensions:
            made = made.add_extension(extension, critical=False)
        return made.sign(by, hashes.SHA256())

    def server(self, host, begins=-DAY, ends=DAY, alone=False, **settings):
        """A server's context for this name; `alone`: signed by itself. `settings` are the context's attributes."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        made = self._sign(name, key, name if alone else self.name, key if alone else self.key, begins, ends,
                          x509.SubjectAlternativeName([x509.DNSName(host)]))
        path = self.folder / f"{made.serial_number}.pem"
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
                         + made.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        for attribute, value in settings.items():
            setattr(context, attribute, value)
        return context
