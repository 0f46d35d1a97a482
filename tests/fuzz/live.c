/* SPDX-License-Identifier: Apache-2.0 */
/* live.c - bytes to a socket: a WebSocket's wire, and the whole server, with its own routes and an embedded store. */
#include "tests/fuzz/fuzz.h"

#include "model/clean.h"
#include "server/wire.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/param.h>
#include <sys/socket.h>

int kuryed_main(int argc, char **argv);
#define main kuryed_main
#include "server/main.c"
#undef main

/* ---- the wire ---- */

/* What the client sends, cut in two by its first byte: some of it comes with the handshake. */
void fuzz_wire(const uint8_t *bytes, size_t n)
{
        const size_t early = n > 0 ? MIN(bytes[0], n - 1) : 0;
        size_t total = 0;
        char heard[4096];
        struct wire wire;
        int pair[2];

        if (n == 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
                return;
        assert(wire_init(&wire, pair[0], bytes + 1, early, &total, NULL) == ERR_OK);
        for (size_t at = 1 + early; at < n && !wire_is_over(&wire);) {
                const ssize_t sent = send(pair[1], bytes + at, MIN(n - at, sizeof heard), MSG_NOSIGNAL);

                wire_read(&wire);
                wire_write(&wire);
                while (recv(pair[1], heard, sizeof heard, 0) > 0)
                        continue;
                if (sent < 0 && !wire_is_over(&wire))
                        break; /* it reads no more until its budget is new */
                at += sent > 0 ? (size_t)sent : 0;
        }
        wire_read(&wire);
        wire_ping(&wire);
        wire_close(&wire, WIRE_GOING_AWAY, "", true);
        wire_done(&wire);
        assert(total == 0);
        close(pair[0]);
        close(pair[1]);
}

/* ---- the whole server ---- */

static struct server fuzzed = {.signals = -1};
static pthread_t fuzzed_thread;
static struct sockaddr_in fuzzed_address;
static char fuzzed_folder[256];

static void *run_server(void *arg)
{
        http_run(((struct server *)arg)->app.http, 0);
        return NULL;
}

static void end_server(void)
{
        char path[sizeof fuzzed_folder + 16];

        http_stop(fuzzed.app.http);
        pthread_join(fuzzed_thread, NULL);
        stop(&fuzzed);
        for (size_t i = 0; i < 4; i++) {
                snprintf(path, sizeof path, "%s/kurye.db%s", fuzzed_folder,
                         (const char *const[]){"", "-wal", "-shm", ".lock"}[i]);
                unlink(path);
        }
        rmdir(fuzzed_folder);
        close(fuzzed.signals);
        fuzzed = (struct server){.signals = -1};
}

static void end_last(void)
{
        if (fuzzed.signals >= 0)
                end_server();
}

static void start_server(void)
{
        const char *const within = getenv("TMPDIR");
        char where[sizeof fuzzed_folder + 16];
        struct why why = {0};

        snprintf(fuzzed_folder, sizeof fuzzed_folder, "%s/kuryed-fuzz-XXXXXX", within ? within : "/tmp");
        assert(mkdtemp(fuzzed_folder));
        snprintf(where, sizeof where, "sqlite:%s/kurye.db", fuzzed_folder);
        clearenv(); /* what the tests are told there are no settings */
        setenv("KURYE_STORE", where, 1);
        setenv("KURYE_LISTEN", "127.0.0.1:0", 1);
        setenv("KURYE_OPS_LISTEN", "127.0.0.1:0", 1);
        setenv("KURYE_ADMIN_TOKEN", FUZZ_ADMIN, 1);
        setenv("KURYE_REQUEST_DEADLINE", "60s", 1); /* a busy machine is no finding */
        setenv("KURYE_SECRET_KEY", "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 1);
        log_set_level(LOG_ERROR);
        assert(config_read(&fuzzed.config, stderr) == 0);
        if (start(&fuzzed, &why) != ERR_OK) {
                fputs(why.text, stderr);
                abort();
        }
        fuzzed_address.sin_family = AF_INET;
        fuzzed_address.sin_port = htons((uint16_t)port_read(strrchr(http_address(fuzzed.app.http), ':') + 1));
        fuzzed_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert(pthread_create(&fuzzed_thread, NULL, run_server, &fuzzed) == 0);
}

bool fuzz_serve(bool anew)
{
        static bool ends;

        if (!ends)
                atexit(end_last);
        ends = true;
        if (anew)
                end_last();
        if (fuzzed.signals < 0)
                start_server();
        return anew;
}

int fuzz_connect(void)
{
        const struct linger at_once = {.l_onoff = 1};
        const struct timeval bound = {.tv_sec = 90};
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once); /* ports would run out */
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
        assert(connect(fd, (struct sockaddr *)&fuzzed_address, sizeof fuzzed_address) == 0);
        return fd;
}

/* One connection: these bytes, then its end; all that comes back. The end comes a little later, where no answer came before
 * it: libmicrohttpd does not see one that comes together with half a request, and our own loop waits a while then. */
void fuzz_server(const uint8_t *bytes, size_t n)
{
        const struct timeval bound = {.tv_usec = 200000};
        char heard[4096];
        struct pollfd in;
        size_t sent = 0;
        ssize_t got = 1;

        fuzz_serve(false);
        in = (struct pollfd){.fd = fuzz_connect(), .events = POLLIN};
        setsockopt(in.fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
        while (sent < n && got > 0) {
                got = send(in.fd, bytes + sent, n - sent, MSG_NOSIGNAL);
                sent += got > 0 ? (size_t)got : 0;
        }
        poll(&in, 1, 2);
        shutdown(in.fd, SHUT_WR);
        while (recv(in.fd, heard, sizeof heard, 0) > 0)
                continue;
        close(in.fd);
}
