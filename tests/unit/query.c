/* SPDX-License-Identifier: Apache-2.0 */
/* query.c - tests of server/query.c and of the logins of server/session.c, against a peer that speaks as Dükkango does. */
#include "server/query.h"

#include "model/store.h"
#include "server/guard.h"
#include "server/outbound.h"
#include "tests/unit/peer.h"
#include "tests/unit/records.h"

#include <poll.h>
#include <unistd.h>

#define GUARD_MS 20000 /* a test that waits so long has failed */
#define FLOOR_MS 3000

struct world {
        struct peer peer;
        char url[64];
        char folder[32];
        struct keyring *ring;
        struct store *store;
        struct client *client;
        struct outbound *outbound;
        struct inbox inbox;
        struct record connection;
};

struct asked {
        struct query query;
        const char *path;
        int home; /* how often it came */
};

static const struct guard guard;
static int came; /* in this test */

static void came_home(struct query *query)
{
        ((struct asked *)query)->home++;
        came++;
}

static enum err build(struct query *query, const struct account *account, struct message *ret,
                      struct why *why)
{
        ret->method = "GET";
        if (message_url(ret, why, "%s%s", account->url, ((struct asked *)query)->path) != ERR_OK)
                return ERR_NO_MEMORY;
        return message_header(ret, "Access-Token", account->token, why);
}

static struct record connected(struct world *w, bool enabled, const char *secret)
{
        static const struct view none = {0};
        CLEAN(json_put_at)
        struct json_object *body =
                parse("{'enabled':true,'credentials':{'appSecretKey':'a','restSecretKey':'r'}}");
        CLEAN(connection_patch_done)
        struct connection_patch patch = {.dialect = &dialect_dukkango, .ring = w->ring};
        const struct id restaurant = read_id(OWN_ID);
        struct view v = none;
        struct record record = {0};

        assert_true(json_add_bool(body, "enabled", enabled));
        assert_true(json_add_text(json_find(body, "credentials"), "restSecretKey", secret));
        v = view_of(body);
        assert_int_equal(connection_patch_read(&v, &patch, NULL), ERR_OK);
        assert_int_equal(connection_make(&restaurant, &patch, &record, NULL), ERR_OK);
        return record;
}

/* `path`: what stands before the path of each call. */
static void begin(struct world *w, const char *path, int64_t timeout_ms)
{
        struct outbound_options options = {.floor_ms = {[PLATFORM_DUKKANGO] = FLOOR_MS},
                                           .timeout_ms = timeout_ms};
        struct store_options store = {0};
        char where[64];

        came = 0;
        peer_start(&w->peer);
        w->ring = make_ring('k');
        w->connection = connected(w, true, "r");
        snprintf(w->url, sizeof w->url, "http://127.0.0.1:%d%s", w->peer.port, path);
        snprintf(w->folder, sizeof w->folder, "/tmp/query-XXXXXX");
        assert_non_null(mkdtemp(w->folder));
        snprintf(where, sizeof where, "sqlite:%s/kurye.db", w->folder);
        store.where = where;
        options.keyring = w->ring;
        options.urls[PLATFORM_DUKKANGO] = w->url;
        assert_int_equal(inbox_init(&w->inbox, NULL), ERR_OK);
        assert_int_equal(outbound_new(&options, &w->outbound, NULL), ERR_OK);
        assert_int_equal(store_open(&store, &w->store, NULL), ERR_OK);
        assert_int_equal(client_start(CLIENT_CALLS_MAX, &guard, &w->client, NULL), ERR_OK);
        assert_int_equal(outbound_start(w->outbound, w->store, w->client, NULL), ERR_OK);
}

static void stop(struct world *w, int64_t drain_ms)
{
        outbound_drain(w->outbound, drain_ms);
        client_stop(TAKE(w->client));
        outbound_stop(w->outbound);
}

static void *stop_patiently(void *w)
{
        stop(w, GUARD_MS);
        return NULL;
}

static void end(struct world *w)
{
        static const char *const files[] = {"kurye.db", "kurye.db-wal", "kurye.db-shm", "kurye.db-lock"};
        char path[64];

        stop(w, 0);
        store_close(w->store);
        outbound_free(w->outbound);
        peer_stop(&w->peer);
        inbox_done(&w->inbox);
        record_done(&w->connection);
        keyring_free(w->ring);
        for (size_t i = 0; i < COUNT(files); i++) {
                snprintf(path, sizeof path, "%s/%s", w->folder, files[i]);
                unlink(path);
        }
        rmdir(w->folder);
}

static int requests(struct world *w)
{
        return peer_count(&w->peer, &w->peer.requests);
}

/* `path` NULL: a login and nothing else. */
static void submit(struct world *w, struct asked *asked, const char *path)
{
        *asked = (struct asked){.path = path,
                                .query = {.connection = &w->connection,
                                          .build = path ? build : NULL,
                                          .patient = asked->query.patient,
                                          .timeout_ms = asked->query.timeout_ms,
                                          .reply = &w->inbox,
                                          .done = came_home}};
        query_submit(w->outbound, &asked->query);
}

static void await(struct world *w, int n)
{
        struct pollfd in = {.fd = w->inbox.fd, .events = POLLIN};

        while (came < n) {
                assert_int_equal(poll(&in, 1, GUARD_MS), 1);
                inbox_run(&w->inbox);
        }
}

/* `reason` NULL: any. */
static void assert_judged(struct asked *asked, enum verdict verdict, const char *reason)
{
        assert_int_equal(asked->home, 1);
        if (reason)
                assert_string_equal(asked->query.judgement.reason, reason);
        assert_int_equal(asked->query.judgement.verdict, verdict);
        query_done(&asked->query);
}

/* Submits, waits, judges. */
static void ask(struct world *w, const char *path, enum verdict verdict, const char *reason)
{
        struct asked asked = {0};

        submit(w, &asked, path);
        await(w, came + 1);
        assert_judged(&asked, verdict, reason);
}

TEST(queries_share_one_login_and_its_token_serves_later_ones)
{
        struct world w;
        struct asked asked[3] = {0};

        begin(&w, "", GUARD_MS);
        submit(&w, &asked[0], "/ok");
        submit(&w, &asked[1], "/ok");
        submit(&w, &asked[2], NULL);
        peer_await(&w.peer, &w.peer.inside, 1);
        peer_open_gate(&w.peer);
        await(&w, 3);
        assert_string_equal(asked[0].query.call.answer.body, "hello");
        for (size_t i = 0; i < COUNT(asked); i++)
                assert_judged(&asked[i], VERDICT_DONE, "");
        assert_int_equal(requests(&w), 3);
        ask(&w, "/ok", VERDICT_DONE, "");
        assert_int_equal(requests(&w), 4);
        assert_non_null(strstr(w.peer.last, "Access-Token: token\r\n"));
        end(&w);
}

TEST(a_test_is_a_login_though_there_be_a_token)
{
        struct world w;

        begin(&w, "", GUARD_MS);
        peer_open_gate(&w.peer);
        ask(&w, NULL, VERDICT_DONE, "");
        ask(&w, NULL, VERDICT_DONE, "");
        assert_int_equal(requests(&w), 2);
        assert_non_null(strstr(w.peer.last, "POST /auth/login"));
        end(&w);
}

TEST(refused_credentials_are_not_asked_again_but_changed_ones_are)
{
        struct world w;

        begin(&w, "/refused?", GUARD_MS);
        ask(&w, "/ok", VERDICT_GIVE_UP, "login_failed");
        ask(&w, "/ok", VERDICT_GIVE_UP, "login_failed");
        ask(&w, NULL, VERDICT_GIVE_UP, "login_failed");
        assert_int_equal(requests(&w), 1);
        record_done(&w.connection);
        w.connection = connected(&w, true, "another");
        ask(&w, NULL, VERDICT_GIVE_UP, "login_failed");
        assert_int_equal(requests(&w), 2);
        end(&w);
}

TEST(what_is_changed_while_a_login_is_under_way_is_not_judged_by_it)
{
        struct world w;
        struct asked asked[4] = {0};
        struct record before;

        begin(&w, "", GUARD_MS);
        before = w.connection;
        submit(&w, &asked[0], "/ok");
        peer_await(&w.peer, &w.peer.inside, 1);
        w.connection = connected(&w, true, "another");
        for (size_t i = 1; i < COUNT(asked); i++)
                submit(&w, &asked[i], "/ok");
        ask(&w, "/ok", VERDICT_WAIT, "busy"); /* so that those before it have begun */
        peer_open_gate(&w.peer);
        await(&w, 5);
        for (size_t i = 0; i < COUNT(asked); i++)
                assert_judged(&asked[i], VERDICT_RETRY, "credentials_changed");
        assert_int_equal(requests(&w), 1);
        record_done(&before);
        end(&w);
}

TEST(a_token_that_is_refused_is_renewed_once)
{
        struct world w;

        begin(&w, "", GUARD_MS);
        peer_open_gate(&w.peer);
        ask(&w, "/refused", VERDICT_RETRY, "unauthorized");
        assert_int_equal(requests(&w), 4);
        end(&w);
}

TEST(an_account_is_asked_four_things_at_once)
{
        struct world w;
        struct asked asked[4] = {0};

        begin(&w, "", GUARD_MS);
        for (size_t i = 0; i < COUNT(asked); i++)
                submit(&w, &asked[i], "/ok");
        ask(&w, "/ok", VERDICT_WAIT, "busy");
        peer_open_gate(&w.peer);
        await(&w, 5);
        for (size_t i = 0; i < COUNT(asked); i++)
                assert_judged(&asked[i], VERDICT_DONE, "");
        end(&w);
}

TEST(who_is_told_to_wait_waits_alone)
{
        struct world w;
        struct asked asked = {.query.patient = true};

        begin(&w, "", GUARD_MS);
        peer_open_gate(&w.peer);
        submit(&w, &asked, "/later?7");
        await(&w, 1);
        assert_int_equal(asked.query.judgement.wait_ms, 7000);
        assert_judged(&asked, VERDICT_WAIT, "too_many_requests");
        submit(&w, &asked, "/later?1");
        await(&w, 2);
        assert_int_equal(asked.query.judgement.wait_ms, FLOOR_MS);
        assert_judged(&asked, VERDICT_WAIT, "too_many_requests");
        submit(&w, &asked, "/ok");
        await(&w, 3);
        assert_judged(&asked, VERDICT_DONE, "");
        end(&w);
}

TEST(who_is_told_to_wait_at_the_login_waits_alone_too)
{
        struct world w;
        struct asked asked = {.query.patient = true};

        begin(&w, "/later?7+", GUARD_MS);
        for (int i = 1; i <= 2; i++) {
                submit(&w, &asked, "/ok");
                await(&w, i);
                assert_int_equal(asked.query.judgement.wait_ms, 7000);
                assert_judged(&asked, VERDICT_WAIT, "too_many_requests");
        }
        end(&w);
}

TEST(of_all_who_are_patient_one_asks_a_platform_that_keeps_failing)
{
        struct world w;
        struct asked asked = {.query = {.patient = true, .timeout_ms = 300}};
        struct asked other = {.query.patient = true};

        begin(&w, "", GUARD_MS);
        peer_open_gate(&w.peer);
        for (int i = 0; i < 10; i++)
                ask(&w, "/short", VERDICT_RETRY, NULL);
        submit(&w, &asked, "/hang");
        submit(&w, &other, "/ok");
        await(&w, came + 2);
        assert_judged(&other, VERDICT_WAIT, "busy");
        assert_judged(&asked, VERDICT_RETRY, "timeout");
        /* With nothing owed, nobody else could find out that it is back. */
        submit(&w, &other, "/ok");
        await(&w, came + 1);
        assert_judged(&other, VERDICT_DONE, "");
        assert_false(outbound_breaker_is_open(w.outbound, PLATFORM_DUKKANGO));
        end(&w);
}

TEST(nobody_waits_longer_than_said_for_a_login_nor_for_an_answer)
{
        struct world w;
        struct asked first = {0}, asked = {.query.timeout_ms = 20};
        const int64_t begun_ms = time_boot_ms();

        begin(&w, "", GUARD_MS);
        submit(&w, &first, "/ok");
        for (int i = 1; i <= 10; i++) {
                submit(&w, &asked, "/ok");
                await(&w, i);
                assert_judged(&asked, VERDICT_RETRY, "timeout");
        }
        assert_in_range(time_boot_ms() - begun_ms, 200, 2500); /* outbound's own rounds are nearly a second */
        peer_open_gate(&w.peer);
        await(&w, 11);
        assert_judged(&first, VERDICT_DONE, "");
        submit(&w, &asked, "/hang");
        await(&w, 12);
        assert_judged(&asked, VERDICT_RETRY, "timeout");
        end(&w);
}

TEST(what_is_switched_off_is_tested_and_not_asked)
{
        struct world w;

        begin(&w, "", GUARD_MS);
        peer_open_gate(&w.peer);
        record_done(&w.connection);
        w.connection = connected(&w, false, "r");
        ask(&w, "/ok", VERDICT_GIVE_UP, "not_connected");
        ask(&w, NULL, VERDICT_DONE, "");
        end(&w);
}

TEST(each_comes_back_once_when_all_stops)
{
        struct world w;
        struct asked login = {0}, call = {0}, late = {0};

        begin(&w, "", GUARD_MS);
        peer_open_gate(&w.peer);
        ask(&w, "/ok", VERDICT_DONE, "");
        submit(&w, &call, "/hang");
        peer_await(&w.peer, &w.peer.requests, 3);
        submit(&w, &login, NULL);
        stop(&w, 0);
        submit(&w, &late, "/ok");
        inbox_run(&w.inbox);
        assert_int_equal(came, 4);
        assert_judged(&call, VERDICT_RETRY, "stopping");
        assert_judged(&late, VERDICT_WAIT, "stopping");
        assert_int_equal(login.home, 1);
        query_done(&login.query);
        end(&w);
}

TEST(what_is_under_way_is_waited_for)
{
        struct world w;
        struct asked login = {0}, late = {.query.timeout_ms = 1};
        pthread_t stopper;

        begin(&w, "", GUARD_MS);
        submit(&w, &login, NULL);
        peer_await(&w.peer, &w.peer.inside, 1);
        assert_int_equal(pthread_create(&stopper, NULL, stop_patiently, &w), 0);
        do { /* until then it waits for the login, in vain */
                submit(&w, &late, "/ok");
                await(&w, came + 1);
                query_done(&late.query);
        } while (!streq(late.query.judgement.reason, "stopping"));
        peer_open_gate(&w.peer);
        pthread_join(stopper, NULL);
        inbox_run(&w.inbox);
        assert_judged(&login, VERDICT_DONE, "");
        end(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(queries_share_one_login_and_its_token_serves_later_ones),
                cmocka_unit_test(a_test_is_a_login_though_there_be_a_token),
                cmocka_unit_test(refused_credentials_are_not_asked_again_but_changed_ones_are),
                cmocka_unit_test(what_is_changed_while_a_login_is_under_way_is_not_judged_by_it),
                cmocka_unit_test(a_token_that_is_refused_is_renewed_once),
                cmocka_unit_test(an_account_is_asked_four_things_at_once),
                cmocka_unit_test(who_is_told_to_wait_waits_alone),
                cmocka_unit_test(of_all_who_are_patient_one_asks_a_platform_that_keeps_failing),
                cmocka_unit_test(who_is_told_to_wait_at_the_login_waits_alone_too),
                cmocka_unit_test(nobody_waits_longer_than_said_for_a_login_nor_for_an_answer),
                cmocka_unit_test(what_is_switched_off_is_tested_and_not_asked),
                cmocka_unit_test(each_comes_back_once_when_all_stops),
                cmocka_unit_test(what_is_under_way_is_waited_for),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
