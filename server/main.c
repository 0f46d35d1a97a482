/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - starts the parts in order, runs the loop, stops them in reverse.
 *
 * Each part may use only what was started before it: store, client, http, outbound, poller. Outbound and what asks by it
 * come last, for it calls as soon as it starts, and the guard must know by then where we listen; requests are taken only
 * after it. Stopping: http answers what it holds, the poller begins no more polls, outbound gives back what it has not
 * begun, the client completes what runs, outbound writes what came of it, the polls end, and only then the store closes. */
#include "handlers/routes.h"
#include "model/clean.h"
#include "server/app.h"
#include "server/backup.h"
#include "server/census.h"
#include "server/client.h"
#include "server/config.h"
#include "server/copy.h"
#include "server/guard.h"
#include "server/healthcheck.h"
#include "server/http.h"
#include "server/hub.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/outbound.h"
#include "server/poller.h"
#include "server/process.h"
#include "server/reseal.h"
#include "server/spent.h"
#include "server/sweeper.h"
#include "server/throttle.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#define HELD_MAX 512       /* unanswered at once; docs/design.md 4 */
#define DRAIN_HTTP_MS 4000 /* with the next one under the 10 s that an orchestrator waits before it kills */
#define DRAIN_CALLS_MS 3000
#define GRACE_MS 2000 /* far longer than a claim takes; a guess */
#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define SWEEP_MS 60000 /* what expires has lived for a day, so that a minute more is nothing */
#define PAUSE_MS 5000  /* after a 429 of a platform that names no limit; a guess */

struct server {
        struct app app;
        struct config config;
        struct keyring *keyring;
        struct guard guard;
        struct guard trusted; /* proxies */
        struct outbound *outbound;
        struct sweeper *sweeper;
        int signals;
};

/* --- hooks of the store, on its thread --- */

static void on_change(void *arg, const struct change *change)
{
        outbound_hint(((struct server *)arg)->outbound, change);
        hub_hint(((struct server *)arg)->app.hub, change);
}

static void on_round(void *arg)
{
        outbound_ring(((struct server *)arg)->outbound);
        hub_ring(((struct server *)arg)->app.hub);
}

static void on_note(void *arg, enum note note, const char *text)
{
        (void)arg;
        switch (note) {
        case NOTE_BROKEN: log_limited(LOG_ERROR, "store_failed", LOG_CAUSE("reason", text)); break;
        case NOTE_RECOVERED: log_limited(LOG_INFO, "store_recovered"); break;
        case NOTE_DAMAGED:
                metrics_damaged();
                log_limited(LOG_ERROR, "damaged", LOG_TEXT("reason", text));
                break;
        case NOTE_DRIVER: log_limited(LOG_WARN, "store_driver", LOG_TEXT("reason", text)); break;
        }
}

static void on_command(void *arg, const struct command *command)
{
        (void)arg;
        metrics_command(command);
}

static void on_verb(void *arg, enum verb verb, int64_t took_us, bool failed)
{
        (void)arg;
        metrics_job(verb, took_us, failed);
}

static void on_commit(void *arg, int jobs, int64_t took_us)
{
        (void)arg;
        metrics_commit(jobs, took_us);
}

/* --- signals --- */

/* The first asks to stop; a second one ends the process at once, as its default does. */
static void on_signal(void *arg)
{
        struct server *server = arg;
        struct signalfd_siginfo info;
        sigset_t both;

        if (read(server->signals, &info, sizeof info) != (ssize_t)sizeof info)
                return;
        log_event(LOG_INFO, "stopping", LOG_TEXT("signal", info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT"));
        sigemptyset(&both);
        sigaddset(&both, SIGTERM);
        sigaddset(&both, SIGINT);
        pthread_sigmask(SIG_UNBLOCK, &both, NULL);
        http_stop(server->app.http);
        hub_drain(server->app.hub);
}

static enum err take_signals(struct server *server, struct why *why)
{
        sigset_t both;

        sigemptyset(&both);
        sigaddset(&both, SIGTERM);
        sigaddset(&both, SIGINT);
        pthread_sigmask(SIG_BLOCK, &both, NULL); /* first of all: threads that are started later inherit it */
        signal(SIGPIPE, SIG_IGN);
        signal(SIGXFSZ, SIG_IGN); /* a full quota is an error of write(), which the store survives */
        server->signals = signalfd(-1, &both, SFD_CLOEXEC | SFD_NONBLOCK);
        return server->signals >= 0 ? ERR_OK : FAIL(why, ERR_INTERNAL, "signalfd: %s", strerror(errno));
}

/* --- start and stop --- */

/* A question may need a login first. */
static enum err start_poller(struct server *server, struct why *why)
{
        const struct config *c = &server->config;
        const struct poller_options options = {
                .wait_ms = {[PLATFORM_DUKKANGO] = c->dukkango_poll_ms},
                .look_ms = c->dukkango_poll_ms, /* who was just connected waits no longer than all others */
                .timeout_ms = 2 * c->outbound_timeout_ms,
                .slack_ms = c->lease_slack_ms};

        return poller_start(&options, server->app.store, server->outbound, &server->app.poller, why);
}

static void end_of_round(void *app)
{
        store_kick(((struct app *)app)->store);
}

static enum err start_http(struct server *server, struct why *why)
{
        const struct config *c = &server->config;
        const struct http_options options = {.listen = c->listen,
                                             .ops_listen = c->ops_listen,
                                             .routes = routes,
                                             .ops_routes = ops_routes,
                                             .admin_token = c->admin_token,
                                             .keyring = server->keyring,
                                             .trusted = &server->trusted,
                                             .connections_max = (int)c->connections_max,
                                             .held_max = HELD_MAX,
                                             .request_deadline_ms = c->request_deadline_ms,
                                             .receive_deadline_ms = c->receive_deadline_ms,
                                             .round = end_of_round,
                                             .app = &server->app};
        enum err e = http_open(&options, &server->app.http, why);

        if (e)
                return e;
        guard_add_own(&server->guard, http_address(server->app.http));
        guard_add_own(&server->guard, http_ops_address(server->app.http));
        return http_watch(server->app.http, server->signals, on_signal, server, why);
}

static enum err make_outbound(struct server *server, struct why *why)
{
        const struct config *c = &server->config;
        const struct outbound_options options = {
                .keyring = server->keyring,
                .urls = {[PLATFORM_GETIRYEMEK] = c->getiryemek_url,
                         [PLATFORM_DUKKANGO] = c->dukkango_url,
                         [PLATFORM_MIGROSYEMEK] = c->migrosyemek_url,
                         [PLATFORM_TRENDYOLYEMEK] = c->trendyolyemek_url,
                         [PLATFORM_YEMEKSEPETI] = c->yemeksepeti_url},
                .floor_ms = {[PLATFORM_DUKKANGO] = c->dukkango_poll_ms,
                             [PLATFORM_GETIRYEMEK] = c->getiryemek_pause_ms,
                             [PLATFORM_MIGROSYEMEK] = PAUSE_MS,
                             [PLATFORM_TRENDYOLYEMEK] = c->trendyolyemek_pause_ms,
                             [PLATFORM_YEMEKSEPETI] = PAUSE_MS},
                .retry = {.delays_ms = c->retry_ms, .n = c->n_retries},
                .step_wait_ms = {[PLATFORM_GETIRYEMEK] = c->getiryemek_step_wait_ms},
                .logins_max = {[PLATFORM_GETIRYEMEK] = c->getiryemek_logins},
                .timeout_ms = c->outbound_timeout_ms,
                .lease_slack_ms = c->lease_slack_ms,
                .grace_ms = config_store_is_file(c) ? 0 : GRACE_MS};

        return outbound_new(&options, &server->outbound, why);
}

static enum err make_hub(struct server *server, struct why *why)
{
        const struct hub_options options = {.ping_ms = server->config.events_ping_ms,
                                            .is_shared = !config_store_is_file(&server->config)};

        return hub_new(&options, &server->app.hub, why);
}

static enum err open_store(struct server *server, struct why *why)
{
        const struct store_options options = {.where = server->config.store,
                                              .hooks = {.on_change = on_change,
                                                        .on_round = on_round,
                                                        .on_note = on_note,
                                                        .on_command = on_command,
                                                        .on_verb = on_verb,
                                                        .on_commit = on_commit,
                                                        .arg = server},
                                              .lease_ms = 2 * server->config.outbound_timeout_ms +
                                                          server->config.lease_slack_ms,
                                              .deadline_ms = server->config.request_deadline_ms,
                                              .keyring = server->keyring,
                                              .calls_ms = server->config.outbound_timeout_ms};

        return store_open(&options, &server->app.store, why);
}

static enum err start(struct server *server, struct why *why)
{
        enum err e;

        server->app.config = &server->config;
        guard_read(server->config.outbound_allow,
                   &server->guard); /* config_read() has seen that they can be */
        guard_read(server->config.trusted_proxies, &server->trusted);
        e = take_signals(server, why);
        if (e == ERR_OK)
                e = keyring_read(server->config.secret_key, &server->keyring, why);
        server->app.keyring = server->keyring;
        server->app.guard = &server->guard;
        if (e == ERR_OK)
                e = throttle_new(&server->app.throttle, why);
        if (e == ERR_OK)
                e = spent_new(&server->app.spent, why);
        if (e == ERR_OK)
                e = census_new(&server->app.census, why);
        if (e == ERR_OK)
                e = make_hub(server, why);
        if (e == ERR_OK)
                e = make_outbound(server, why);
        server->app.outbound = server->outbound;
        if (e == ERR_OK)
                e = open_store(server, why);
        if (e == ERR_OK)
                e = client_start(CLIENT_CALLS_MAX, &server->guard, &server->app.client, why);
        if (e == ERR_OK)
                e = start_http(server, why);
        if (e == ERR_OK)
                e = hub_start(server->app.hub, server->app.store, server->app.http, why);
        if (e == ERR_OK)
                e = outbound_start(server->outbound, server->app.store, server->app.client, why);
        if (e == ERR_OK)
                e = start_poller(server, why);
        if (e == ERR_OK)
                e = sweeper_start(server->app.store, SWEEP_MS, server->config.retention_days * DAY_MS, DAY_MS,
                                  &server->sweeper, why);
        return e;
}

static void stop(struct server *server)
{
        hub_stop(server->app.hub);
        poller_drain(server->app.poller);
        if (server->outbound)
                outbound_drain(server->outbound, DRAIN_CALLS_MS);
        client_stop(server->app.client);
        if (server->outbound)
                outbound_stop(server->outbound);
        poller_stop(server->app.poller);
        sweeper_stop(server->sweeper);
        store_close(server->app.store);
        http_close(server->app.http); /* what the store completed last still asks outbound for its breakers */
        hub_free(server->app.hub);
        outbound_free(server->outbound);
        sweeper_free(server->sweeper);
        census_free(server->app.census);
        throttle_free(server->app.throttle);
        spent_free(server->app.spent);
        for (int i = 0; i < PLATFORM_COUNT; i++)
                free(server->app.reasons[i].text);
        keyring_free(server->keyring);
        config_done(&server->config);
}

static void log_start(const struct config *config)
{
        CLEAN(free_at) char *set = NULL;
        size_t size;
        FILE *to = open_memstream(&set, &size);

        if (!to)
                return;
        config_show_set(config, to);
        fclose(to);
        log_event(LOG_INFO, "starting", LOG_TEXT("version", KURYED_VERSION), LOG_TEXT("settings", set));
}

static int serve(struct server *server)
{
        struct why why = {0};

        log_start(&server->config);
        if (start(server, &why) != ERR_OK) {
                log_event(LOG_ERROR, "start_failed", LOG_TEXT("reason", why.text));
                stop(server);
                return 1;
        }
        log_event(LOG_INFO, "listening", LOG_TEXT("listen", http_address(server->app.http)),
                  LOG_TEXT("opsListen", http_ops_address(server->app.http)));
        http_run(server->app.http, DRAIN_HTTP_MS);
        stop(server);
        log_event(LOG_INFO, "stopped");
        return 0;
}

static int usage(FILE *to)
{
        fputs("kuryed: a courier webhook server\n\n"
              "usage: kuryed [--help | --version | --check-config]\n"
              "       kuryed copy --help              moves an embedded store into a MongoDB\n"
              "       kuryed backup FILE              saves the embedded store, served or not; restore FILE brings it back\n"
              "       kuryed reseal --help            makes secrets be sealed by the first key of KURYE_SECRET_KEY\n"
              "       kuryed healthcheck [--ready]    asks the server at KURYE_OPS_LISTEN: exit status 0 is well\n\n"
              "All settings come from the environment:\n\n",
              to);
        config_help(to);
        return to == stdout ? 0 : 2;
}

/* Where a standard stream is closed, the next file or socket would be taken for it, and get log lines. */
static void fill_standard_streams(void)
{
        int fd;

        do
                fd = open("/dev/null", O_RDWR);
        while (fd >= 0 && fd <= STDERR_FILENO);
        if (fd >= 0)
                close(fd);
}

int main(int argc, char **argv)
{
        struct server server = {.signals = -1};
        enum log_level level;

        process_allow_looks(false);
        fill_standard_streams();
        if (argc == 2 && streq(argv[1], "--help"))
                return usage(stdout);
        if (argc == 2 && streq(argv[1], "--version")) {
                puts("kuryed " KURYED_VERSION);
                return 0;
        }
        if (argc >= 2 && streq(argv[1], "copy"))
                return copy_main(argc - 1, argv + 1);
        if (argc >= 2 && streq(argv[1], "reseal"))
                return reseal_main(argc - 1, argv + 1);
        if (argc >= 2 && streq(argv[1], "healthcheck"))
                return healthcheck_main(argc - 1, argv + 1);
        if (argc >= 2 && (streq(argv[1], "backup") || streq(argv[1], "restore")))
                return backup_main(argc - 1, argv + 1);
        if (argc > 2 || (argc == 2 && !streq(argv[1], "--check-config")))
                return usage(stderr);
        if (config_read(&server.config, stderr) > 0)
                return EX_CONFIG;
        if (argc == 2) {
                config_show(&server.config, stdout);
                config_done(&server.config);
                return 0;
        }
        if (log_level_find(server.config.log_level, &level))
                log_set_level(level);
        process_allow_looks(streq(server.config.core_dumps, "allowed"));
        return serve(&server);
}
