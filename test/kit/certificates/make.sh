#!/bin/sh
# Makes the certificates that tests use, valid for a hundred years. Run by hand; the results are committed.
set -e
cd "$(dirname "$0")"
rm -f ./*.pem

authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 \
    -subj "/CN=$1" -keyout "$1-key.pem" -out "$1.pem" 2>/dev/null
}

signed() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -subj "/CN=$1" -keyout "$1-key.pem" -out "$1.csr" 2>/dev/null
  printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\n' "$3" > "$1.ext"
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2-key.pem" -CAcreateserial -days 36500 \
    -extfile "$1.ext" -out "$1.pem" 2>/dev/null
  rm -f "$1.csr" "$1.ext"
}

authority authority
authority stranger
signed server authority "DNS:localhost,IP:127.0.0.1"
signed renewed authority "DNS:localhost,IP:127.0.0.1"
signed client authority "DNS:client"
signed intruder stranger "DNS:intruder"
openssl ec -in server-key.pem -aes256 -passout pass:secret -out encrypted-key.pem 2>/dev/null
rm -f ./*.srl authority-key.pem stranger-key.pem
