# SPDX-License-Identifier: Apache-2.0
"""Certificates for servers on loopback."""

import os
import ssl
import subprocess

LOOPBACK = "IP:127.0.0.1,DNS:localhost"


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.file = self._path(name + ".pem")
        self._openssl("req", "-x509", *self._key(name), "-out", self.file, "-days", "2", "-subj", "/CN=" + name)

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                self._path(name + ".key"))

    def _openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, stderr=subprocess.DEVNULL)

    def context(self, name, names=LOOPBACK, days=2):
        """A server's end with a certificate for these names."""
        request, certificate = self._path(name + ".csr"), self._path(name + ".crt")
        self._openssl("req", *self._key(name), "-out", request, "-subj", "/CN=server", "-addext",
                      "subjectAltName=" + names)
        self._openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self._path(self.name + ".key"),
                      "-days", str(days), "-copy_extensions", "copy", "-out", certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, self._path(name + ".key"))
        return context
