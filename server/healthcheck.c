/* SPDX-License-Identifier: Apache-2.0 */
/* healthcheck.c - one question to the ops port, by the client that every other call goes through.
 *
 * It asks /livez: what runs containers ends those that are unhealthy, and a server whose store is away must not be ended
 * over and over for it, but go on as soon as the store is back. --ready asks /readyz, for whoever waits to send work. */
#include "server/healthcheck.h"

#include "model/clean.h"
#include "model/text.h"
#include "server/client.h"
#include "server/config.h"
#include "server/guard.h"
#include "server/listener.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define TIMEOUT_MS 3000 /* under what docker/Dockerfile gives the whole program */

static void answered(struct call *call)
{
        (void)call;
}

/* Who listens everywhere is asked on this machine. */
static enum err set_url(struct message *m, const char *listen, const char *path, struct why *why)
{
        char host[HOST_SIZE], port[PORT_SIZE];

        if (!listener_read(listen, host, port) || streq(port, "0"))
                return FAIL(why, ERR_BAD_FIELD, "KURYE_OPS_LISTEN=%s names no port to ask", listen);
        if (strchr(host, ':'))
                return message_url(m, why, "http://[%s]:%s%s", streq(host, "::") ? "::1" : host, port, path);
        return message_url(m, why, "http://%s:%s%s", streq(host, "0.0.0.0") ? "127.0.0.1" : host, port, path);
}

/* Until the call is complete, which the client promises for its timeout. */
static enum err carry(struct call *call, struct why *why)
{
        static const struct guard guard; /* of no use: the setting is trusted */
        struct client *client;
        struct inbox in;
        struct pollfd wait = {.events = POLLIN};
        enum err e = inbox_init(&in, why);

        if (e)
                return e;
        e = client_start(1, &guard, &client, why);
        if (e == ERR_OK) {
                call->reply = &in;
                client_submit(client, call);
                wait.fd = in.fd;
                while (inbox_run(&in) == 0)
                        poll(&wait, 1, -1);
                client_stop(client);
        }
        inbox_done(&in);
        return e;
}

static int ask(const char *listen, const char *path)
{
        struct call call = {.message.method = "GET", .timeout_ms = TIMEOUT_MS, .done = answered};
        struct why why = {0};
        enum err e = set_url(&call.message, listen, path, &why);
        bool is_well;

        if (e == ERR_OK)
                e = carry(&call, &why);
        if (e)
                fprintf(stderr, "kuryed healthcheck: %s\n", why.text);
        else if (call.answer.carried == CARRIED_ANSWERED)
                fprintf(stderr, "%s %s: %d %s\n", listen, path, call.answer.http, call.answer.body);
        else
                fprintf(stderr, "%s %s: %s\n", listen, path, call.answer.trouble);
        is_well = e == ERR_OK && call.answer.http == 200;
        call_done(&call);
        return is_well ? 0 : 1;
}

int healthcheck_main(int argc, char **argv)
{
        const bool ready = argc == 2 && streq(argv[1], "--ready");
        CLEAN(free_at) char *listen = NULL;

        if (argc > 1 && !ready) {
                fputs("usage: kuryed healthcheck [--ready]\n", stderr);
                return EX_USAGE;
        }
        listen = config_ops_listen(stderr);
        return listen ? ask(listen, ready ? "/readyz" : "/livez") : 1;
}
