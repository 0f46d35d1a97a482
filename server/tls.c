/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c - OpenSSL kept from working for a stranger without end.
 *
 * One call of SSL_connect or SSL_read goes on for as long as there is something to read that is nobody's answer:
 * HelloRequests in a handshake, tickets and new keys after it. Whoever sends them faster than they are read holds the
 * thread, and with it the calls to everybody else, beyond any deadline. So these records are counted, and a connection
 * that has more of them than anybody needs counts as ended.
 *
 * Of key exchanges those over a prime of the server's choice are left out: one of 10,000 bits takes a third of a second.
 * Servers that have no curves are none of this age. */
#include "server/tls.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdint.h>

#define RECORDS_MAX 256 /* a guess: a handshake has about ten */

static pthread_once_t counted_once = PTHREAD_ONCE_INIT;
static int counted; /* where a connection has its count */

static void make_index(void)
{
        counted = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

/* Of each record there is its header, and where that is encrypted, of what type it is behind it. */
static void on_record(int is_ours, int version, int kind, const void *bytes, size_t n, SSL *ssl, void *arg)
{
        const unsigned char *type = bytes;
        uintptr_t count;

        (void)version, (void)arg;
        if (is_ours || n == 0 || (kind != SSL3_RT_HEADER && kind != SSL3_RT_INNER_CONTENT_TYPE) ||
            *type == SSL3_RT_APPLICATION_DATA)
                return;
        count = (uintptr_t)SSL_get_ex_data(ssl, counted) + 1;
        if (count > RECORDS_MAX || !SSL_set_ex_data(ssl, counted, (void *)count))
                SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN);
}

bool tls_limit(void *context)
{
        SSL_CTX *c = context;

        pthread_once(&counted_once, make_index);
        SSL_CTX_set_msg_callback(c, on_record);
        return counted >= 0 && SSL_CTX_set_cipher_list(c, "DEFAULT:!DHE") == 1;
}
