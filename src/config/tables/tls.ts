/** TLS, which this version does not speak: its port stays closed, and the rest has nothing to act on. */
import { accepted, refused } from "../parameter.ts"
import { int, integer, oneOf, text, yesNo } from "../values.ts"

const noTls = "this version does not speak TLS; put a TLS proxy such as stunnel in front"

export const tls = {
  "tls-port": refused(integer(0, 65_535), 0, noTls),
  "tls-auth-clients": accepted(oneOf("no", "yes", "optional"), "yes", noTls),
  "tls-ca-cert-dir": accepted(text, "", noTls),
  "tls-ca-cert-file": accepted(text, "", noTls),
  "tls-cert-file": accepted(text, "", noTls),
  "tls-ciphers": accepted(text, "", noTls),
  "tls-ciphersuites": accepted(text, "", noTls),
  "tls-client-cert-file": accepted(text, "", noTls),
  "tls-client-key-file": accepted(text, "", noTls),
  "tls-client-key-file-pass": accepted(text, "", noTls, { secret: true }),
  "tls-cluster": refused(yesNo, false, noTls),
  "tls-dh-params-file": accepted(text, "", noTls),
  "tls-key-file": accepted(text, "", noTls),
  "tls-key-file-pass": accepted(text, "", noTls, { secret: true }),
  "tls-prefer-server-ciphers": accepted(yesNo, false, noTls),
  "tls-protocols": accepted(text, "", noTls),
  "tls-replication": refused(yesNo, false, noTls),
  "tls-session-cache-size": accepted(integer(0, int), 20_480, noTls),
  "tls-session-cache-timeout": accepted(integer(0, int), 300, noTls),
  "tls-session-caching": accepted(yesNo, true, noTls)
} as const
