/* SPDX-License-Identifier: Apache-2.0 */
/* world.c - making and ending the store under test, and what tests ask of it. */
#include "tests/contract/world.h"

#include "model/clean.h"
#include "model/restaurant.h"
#include "model/token.h"
#include "tests/contract/mongo_database.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS (30 * SECOND) /* sanitizers and busy machines are slow */

struct world world;

/* --- kinds of stores: one row each --- */

static char folder[64];

static bool sqlite_make(char *where, size_t size)
{
        const char *base = getenv("TMPDIR");

        snprintf(folder, sizeof folder, "%s/kuryed-contract-XXXXXX",
                 base && strlen(base) < sizeof folder - 32 ? base : "/tmp");
        if (!mkdtemp(folder))
                return false;
        snprintf(where, size, "sqlite:%s/kurye.db", folder);
        return true;
}

static void sqlite_unmake(void)
{
        DIR *dir = opendir(folder);
        struct dirent *entry;

        while (dir && (entry = readdir(dir)))
                unlinkat(dirfd(dir), entry->d_name, 0);
        if (dir)
                closedir(dir);
        rmdir(folder);
}

static const struct kind {
        const char *name;
        bool (*make)(char *where, size_t size); /* a place where nothing is yet */
        void (*unmake)(void);
} kinds[] = {{"sqlite", sqlite_make, sqlite_unmake}, {"mongodb", mongo_database_make, mongo_database_unmake}};

static const struct kind *kind;

bool world_is_there(void)
{
        return !streq(kind->name, "mongodb") || mongo_database_given();
}

bool world_choose(const char *name)
{
        for (size_t i = 0; i < COUNT(kinds); i++)
                if (streq(kinds[i].name, name))
                        kind = &kinds[i];
        for (size_t i = 0; !kind && i < COUNT(kinds); i++)
                fprintf(stderr, "%s%s", i ? ", " : "stores: ", kinds[i].name);
        return kind != NULL;
}

/* --- the clock --- */

static atomic_int_least64_t clock_ms;

int64_t clock_now(void)
{
        return atomic_load(&clock_ms);
}

void clock_pass(int64_t ms)
{
        atomic_fetch_add(&clock_ms, ms);
}

/* --- what the hooks told --- */

static struct {
        pthread_mutex_t lock;
        pthread_cond_t noted;
        int changes;
        bool in_round; /* changes were told, and their round has not ended */
        struct change last;
        int notes[NOTE_DRIVER + 1];
        int jobs[VERB_COUNT];
        int failures[VERB_COUNT];
        int committed;
        void (*watch)(const struct change *change);
} heard = {.lock = PTHREAD_MUTEX_INITIALIZER, .noted = PTHREAD_COND_INITIALIZER};

static void hear_change(__attribute__((unused)) void *arg, const struct change *change)
{
        pthread_mutex_lock(&heard.lock);
        heard.changes++;
        heard.in_round = true;
        heard.last = *change;
        if (heard.watch)
                heard.watch(change);
        pthread_mutex_unlock(&heard.lock);
}

static void hear_round(__attribute__((unused)) void *arg)
{
        pthread_mutex_lock(&heard.lock);
        heard.in_round = false;
        pthread_cond_broadcast(&heard.noted);
        pthread_mutex_unlock(&heard.lock);
}

static void hear_note(__attribute__((unused)) void *arg, enum note note,
                      __attribute__((unused)) const char *text)
{
        pthread_mutex_lock(&heard.lock);
        heard.notes[note]++;
        pthread_cond_broadcast(&heard.noted);
        pthread_mutex_unlock(&heard.lock);
}

static void hear_verb(__attribute__((unused)) void *arg, enum verb verb, int64_t took_us, bool failed)
{
        assert_true(took_us >= 0);
        pthread_mutex_lock(&heard.lock);
        heard.jobs[verb]++;
        heard.failures[verb] += failed;
        pthread_mutex_unlock(&heard.lock);
}

static void hear_commit(__attribute__((unused)) void *arg, int jobs, __attribute__((unused)) int64_t took_us)
{
        pthread_mutex_lock(&heard.lock);
        heard.committed += jobs;
        pthread_mutex_unlock(&heard.lock);
}

static int look_at(const int *number)
{
        pthread_mutex_lock(&heard.lock);
        const int value = *number;
        pthread_mutex_unlock(&heard.lock);
        return value;
}

int jobs_heard(enum verb verb)
{
        return look_at(&heard.jobs[verb]);
}

int failures_heard(enum verb verb)
{
        return look_at(&heard.failures[verb]);
}

int committed_heard(void)
{
        return look_at(&heard.committed);
}

int changes_heard(struct change *ret_last)
{
        int n;

        pthread_mutex_lock(&heard.lock);
        n = heard.changes;
        heard.changes = 0;
        if (ret_last)
                *ret_last = heard.last;
        pthread_mutex_unlock(&heard.lock);
        return n;
}

void changes_watch(void (*watch)(const struct change *change))
{
        pthread_mutex_lock(&heard.lock);
        heard.watch = watch;
        pthread_mutex_unlock(&heard.lock);
}

int notes_heard(enum note note)
{
        int n;

        pthread_mutex_lock(&heard.lock);
        n = heard.notes[note];
        pthread_mutex_unlock(&heard.lock);
        return n;
}

/* Waits for `noted` with the lock held; false when half a minute is over. */
static bool await(bool (*has_come)(int what, int n), int what, int n)
{
        struct timespec until;
        bool came;
        int r = 0;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += PATIENCE_MS / SECOND;
        pthread_mutex_lock(&heard.lock);
        while (!has_come(what, n) && r == 0)
                r = pthread_cond_timedwait(&heard.noted, &heard.lock, &until);
        came = has_come(what, n);
        pthread_mutex_unlock(&heard.lock);
        return came;
}

static bool has_noted(int note, int n)
{
        return heard.notes[note] >= n;
}

bool note_await(enum note note, int n)
{
        return await(has_noted, (int)note, n);
}

static bool has_ended(__attribute__((unused)) int what, __attribute__((unused)) int n)
{
        return !heard.in_round;
}

bool round_await(void)
{
        return await(has_ended, 0, 0);
}

/* --- jobs --- */

void desk_open(struct desk *desk)
{
        *desk = (struct desk){0};
        if (inbox_init(&desk->in, NULL) != ERR_OK)
                abort();
}

void desk_close(struct desk *desk)
{
        inbox_done(&desk->in);
}

static void come_back(struct letter *letter)
{
        struct desk *desk = ((struct job *)letter)->arg;

        desk->out--;
}

void desk_send(struct desk *desk, struct job *job)
{
        job->letter.run = come_back;
        job->reply = &desk->in;
        job->arg = desk;
        desk->out++;
}

bool desk_wait(struct desk *desk)
{
        const int64_t until_ms = time_boot_ms() + PATIENCE_MS;
        struct pollfd wait = {.fd = desk->in.fd, .events = POLLIN};

        store_kick(world.store);
        while (desk->out > 0) {
                const int64_t left_ms = until_ms - time_boot_ms();

                if (left_ms <= 0 || poll(&wait, 1, (int)left_ms) < 0)
                        return false;
                inbox_run(&desk->in);
        }
        return true;
}

void job_check(const struct job *job, enum err expected, const char *file, int line)
{
        if (job->err == expected)
                return;
        print_error("%s:%d: %s instead of %s: %s\n", file, line, err_row(job->err)->name,
                    err_row(expected)->name, job->err == ERR_OK ? "" : job->why.text);
        _fail(file, line);
}

/* --- who asks --- */

struct access trusted(struct id restaurant)
{
        return (struct access){.kind = ACCESS_TRUSTED, .restaurant = restaurant};
}

struct access by_key(const char *key)
{
        struct access access = {.kind = ACCESS_KEY};

        assert_true(apikey_digest(KEY_PREFIX, key, &access.digest));
        return access;
}

struct access by_token(const char *token)
{
        struct access access = {.kind = ACCESS_TOKEN};

        assert_true(apikey_digest(TOKEN_PREFIX, token, &access.digest));
        return access;
}

static void put_record(struct record *record)
{
        struct store_put put = {.record = *record};

        DO(put, &put);
        assert_int_equal(put.outcome, PUT_NEW);
        store_put_done(&put);
}

struct id restaurant_new(void)
{
        CLEAN(json_put_at) struct json_object *body = json_object_new_object();
        struct record record = {0};
        struct view view = view_of(body);
        struct id id;

        assert_true(json_add_text(body, "name", "Köşe Kebap"));
        assert_int_equal(restaurant_make(&view, clock_now(), &record, NULL), ERR_OK);
        id = record.restaurant;
        put_record(&record);
        return id;
}

static void edit_record(struct store_edit *edit)
{
        DO(edit, edit);
        assert_non_null(edit->record.document);
        store_edit_done(edit);
}

void restaurant_switch(struct id restaurant, bool active)
{
        char on[] = "{\"active\":true}", off[] = "{\"active\":false}";
        struct restaurant_patch patch = {.members = active ? on : off};
        struct store_edit edit = {.kind = RECORD_RESTAURANT, .edit = restaurant_edit, .arg = &patch};

        id_write(&restaurant, edit.id);
        edit_record(&edit);
}

static struct keyring *ring_new(void)
{
        struct keyring *ring = NULL;

        assert_int_equal(keyring_read("t:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", &ring, NULL), ERR_OK);
        return ring;
}

struct courier courier_hire(struct id restaurant)
{
        struct keyring *ring = ring_new();
        CLEAN(integration_patch_done)
        struct integration_patch patch = {.members = strdup("{\"name\":\"Hızlı Kurye\"}")};
        CLEAN(rotation_done) struct rotation key = {0};
        CLEAN(rotation_done) struct rotation secret = {0};
        struct record record = {0};
        struct courier courier;

        assert_true(id_make(clock_now(), &courier.integration));
        id_write(&courier.integration, courier.id);
        assert_int_equal(rotation_key(&key, NULL), ERR_OK);
        assert_int_equal(rotation_secret(&courier.integration, ring, &secret, NULL), ERR_OK);
        assert_int_equal(
                integration_make(&restaurant, &courier.integration, &patch, &key, &secret, &record, NULL),
                ERR_OK);
        assert_true(text_copy(courier.key, sizeof courier.key, key.text));
        put_record(&record);
        keyring_free(ring);
        return courier;
}

void courier_at(const struct courier *courier, const char *url)
{
        CLEAN(integration_patch_done) struct integration_patch patch = {0};
        struct store_edit edit = {.kind = RECORD_INTEGRATION, .edit = integration_edit, .arg = &patch};

        assert_true(asprintf(&patch.members, "{\"dispatchUrl\":%s}", url) > 0);
        assert_true(text_copy(edit.id, sizeof edit.id, courier->id));
        edit_record(&edit);
}

void courier_prefer(struct id restaurant, const struct courier *courier)
{
        struct dispatch_choice choice = {.integration = courier->integration, .on = true};
        struct store_edit edit = {
                .kind = RECORD_RESTAURANT, .edit = restaurant_choose_dispatch, .arg = &choice};

        id_write(&restaurant, edit.id);
        edit_record(&edit);
}

void courier_rotate(struct courier *courier, int64_t grace_ms)
{
        CLEAN(rotation_done) struct rotation key = {0};
        struct store_edit edit = {.kind = RECORD_INTEGRATION, .edit = integration_rotate, .arg = &key};

        assert_int_equal(rotation_key(&key, NULL), ERR_OK);
        key.grace_ms = grace_ms;
        assert_true(text_copy(edit.id, sizeof edit.id, courier->id));
        edit_record(&edit);
        assert_true(text_copy(courier->key, sizeof courier->key, key.text));
}

void token_new(struct id restaurant, char ret_text[APIKEY_TEXT_SIZE], char ret_id[RECORD_ID_SIZE])
{
        struct record record = {0};

        assert_int_equal(token_make(&restaurant, "Tablet", clock_now(), &record, ret_text, NULL), ERR_OK);
        assert_true(text_copy(ret_id, RECORD_ID_SIZE, record.id));
        put_record(&record);
}

/* --- orders --- */

struct order *order_draft(enum platform platform, enum status status)
{
        static int number;
        struct order *order = calloc(1, sizeof *order);

        assert_non_null(order);
        order->platform = platform;
        order->status = status;
        order->pickup = true; /* so that it owes a courier firm nothing */
        order->prep_minutes = 30;
        order->document = strdup("{\"price\":125.5}");
        assert_true(asprintf(&order->platform_order_id, "number-%d", ++number) > 0);
        return order;
}

struct id order_new(enum platform platform, enum status status)
{
        struct store_create create = {.job.access = trusted(world.restaurant),
                                      .order = order_draft(platform, status),
                                      .by = ACTOR_RESTAURANT};
        struct id id;

        DO(create, &create);
        assert_int_equal(create.outcome, CREATE_NEW);
        id = create.order->id;
        store_create_done(&create);
        return id;
}

struct order *order_load(struct id order)
{
        struct store_read read = {.job.access = trusted(world.restaurant), .order = order};

        DO(read, &read);
        assert_non_null(read.stored);
        return TAKE(read.stored);
}

struct store_move moving(struct id order, enum status to)
{
        return (struct store_move){
                .job.access = trusted(world.restaurant), .order = order, .to = to, .by = ACTOR_RESTAURANT};
}

void move_to(struct id order, enum status to)
{
        struct store_move move = moving(order, to);

        DO(move, &move);
        assert_int_equal(move.outcome, MOVE_MOVED);
}

/* --- what is owed to its platform --- */

struct due due_for(struct id order, enum platform platform)
{
        return (struct due){.order = order,
                            .restaurant = world.restaurant,
                            .platform = platform,
                            .party = PARTY_PLATFORM};
}

struct store_claim claim_of(struct id order, enum platform platform)
{
        struct store_claim claim = {.due = due_for(order, platform), .lease_ms = LEASE_MS};

        DO(claim, &claim);
        assert_true(claim.claimed);
        return claim;
}

bool is_claimable(struct id order, enum platform platform, bool *ret_unsure)
{
        CLEAN(store_claim_done)
        struct store_claim claim = {.due = due_for(order, platform), .lease_ms = LEASE_MS};
        struct store_release release = {.due = claim.due};

        DO(claim, &claim);
        if (!claim.claimed)
                return false;
        release.lease = claim.lease;
        release.unsure = claim.order->targets[PARTY_PLATFORM].unsure;
        if (ret_unsure)
                *ret_unsure = release.unsure;
        DO(release, &release);
        return true;
}

int count_due(void)
{
        struct store_due due = {.max = DUE_MAX};

        DO(due, &due);
        return due.n;
}

struct store_settle settling(const struct store_claim *claim, struct settlement settlement)
{
        return (struct store_settle){.due = claim->due,
                                     .lease = claim->lease,
                                     .lease_ms = LEASE_MS,
                                     .want = claim->order->targets[claim->due.party].want,
                                     .settlement = settlement,
                                     .row = strdup("{\"step\":\"accept\",\"result\":\"retry\"}")};
}

void give_up(struct id order, enum platform platform, bool unsure)
{
        CLEAN(store_claim_done) struct store_claim claim = claim_of(order, platform);
        CLEAN(store_settle_done)
        struct store_settle settle = settling(&claim, (struct settlement){.kind = SETTLE_DEAD,
                                                                          .at_ms = TARGET_NOT_DUE,
                                                                          .tries = 3,
                                                                          .unsure = unsure,
                                                                          .dead = "timeout"});

        DO(settle, &settle);
        assert_int_equal(settle.outcome, SETTLE_WRITTEN);
}

/* --- its beginning and end --- */

struct store_options world_options(void)
{
        return (struct store_options){.where = world.where,
                                      .hooks = {.on_change = hear_change,
                                                .on_round = hear_round,
                                                .on_note = hear_note,
                                                .on_verb = hear_verb,
                                                .on_commit = hear_commit},
                                      .now = clock_now};
}

void world_open(void)
{
        const struct store_options options = world_options();
        struct why why;

        if (store_open(&options, &world.store, &why) != ERR_OK)
                fail_msg("%s", why.text);
}

void world_close(void)
{
        store_close(TAKE(world.store));
}

int world_begin(__attribute__((unused)) void **state)
{
        atomic_store(&clock_ms, BEGAN);
        changes_watch(NULL);
        changes_heard(NULL);
        memset(heard.notes, 0, sizeof heard.notes);
        memset(heard.jobs, 0, sizeof heard.jobs);
        memset(heard.failures, 0, sizeof heard.failures);
        heard.committed = 0;
        if (!kind->make(world.where, sizeof world.where))
                return -1;
        desk_open(&world.desk);
        world_open();
        world.restaurant = restaurant_new();
        return 0;
}

int world_end(__attribute__((unused)) void **state)
{
        world_close();
        desk_close(&world.desk);
        kind->unmake();
        return 0;
}
