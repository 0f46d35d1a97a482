/* SPDX-License-Identifier: Apache-2.0 */
/* mongo_command.c - the few ways to ask MongoDB, and what its failures mean.
 *
 * Every write is confirmed by a majority and by its journal, as the client's URI was made to say (store_mongo.c); every
 * command has an end of its own: the server's, and behind it the socket's. */
#include "model/store_mongo.h"

#include "model/clean.h"

#include <string.h>

/* ---- failures ---- */

/* The codes of MongoDB's error_codes.yml that pass by themselves: another node becomes primary, one stops, two writes met,
 * a time was over. What the command did is unknown. */
static const uint32_t passing[] = {6 /* HostUnreachable */,
                                   7 /* HostNotFound */,
                                   24 /* LockTimeout */,
                                   50 /* MaxTimeMSExpired */,
                                   64 /* WriteConcernFailed */,
                                   89 /* NetworkTimeout */,
                                   91 /* ShutdownInProgress */,
                                   100 /* UnsatisfiableWriteConcern */,
                                   112 /* WriteConflict */,
                                   134 /* ReadConcernMajorityNotAvailableYet */,
                                   189 /* PrimarySteppedDown */,
                                   262 /* ExceededTimeLimit */,
                                   9001 /* SocketException */,
                                   10058 /* an older server's "not primary" */,
                                   10107 /* NotWritablePrimary */,
                                   11600 /* InterruptedAtShutdown */,
                                   11602 /* InterruptedDueToReplStateChange */,
                                   13388 /* StaleConfig */,
                                   13435 /* NotPrimaryNoSecondaryOk */,
                                   13436 /* NotPrimaryOrSecondary */,
                                   16908292 /* DocumentDB: deadlock detected */};

/* A key that is there already, as every version says it. */
static bool is_duplicate(const bson_error_t *error)
{
        return error->code == 11000 || error->code == 11001 || error->code == 12582;
}

static bool passes(const bson_error_t *error, const bson_t *reply)
{
        if (error->domain == MONGOC_ERROR_SERVER_SELECTION || error->domain == MONGOC_ERROR_STREAM ||
            error->domain == MONGOC_ERROR_WRITE_CONCERN)
                return true;
        if (reply && mongoc_error_has_label(reply, "RetryableWriteError"))
                return true;
        for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
                if (error->domain == MONGOC_ERROR_SERVER && error->code == passing[i])
                        return true;
        return false;
}

enum err mongo_failed(struct mongo_conn *conn, const char *what, const bson_error_t *error,
                      const bson_t *reply, struct why *why)
{
        conn->again = passes(error, reply);
        conn->gone = error->domain == MONGOC_ERROR_SERVER_SELECTION || error->domain == MONGOC_ERROR_STREAM;
        if (error->domain == MONGOC_ERROR_SERVER || error->domain == MONGOC_ERROR_WRITE_CONCERN)
                return FAIL(why, ERR_STORE_BROKEN, "MongoDB refused %s: %s (%u)", what,
                            reply ? mongo_text(reply, "codeName") : "", (unsigned)error->code);
        return FAIL(why, ERR_STORE_BROKEN, "MongoDB: %s: %s", what, error->message);
}

static enum err no_memory(struct why *why)
{
        return FAIL(why, ERR_NO_MEMORY, "no memory for a command");
}

/* ---- commands, watched ---- */

static void succeeded(const mongoc_apm_command_succeeded_t *event)
{
        const struct command command = {.name = mongoc_apm_command_succeeded_get_command_name(event),
                                        .took_us = mongoc_apm_command_succeeded_get_duration(event)};

        store_command(mongoc_apm_command_succeeded_get_context(event), &command);
}

static void failed(const mongoc_apm_command_failed_t *event)
{
        const struct command command = {.name = mongoc_apm_command_failed_get_command_name(event),
                                        .took_us = mongoc_apm_command_failed_get_duration(event),
                                        .failed = true};

        store_command(mongoc_apm_command_failed_get_context(event), &command);
}

void mongo_watch_commands(mongoc_client_pool_t *pool, struct store *store)
{
        mongoc_apm_callbacks_t *callbacks = mongoc_apm_callbacks_new();

        mongoc_apm_set_command_succeeded_cb(callbacks, succeeded);
        mongoc_apm_set_command_failed_cb(callbacks, failed);
        mongoc_client_pool_set_apm_callbacks(pool, callbacks, store);
        mongoc_apm_callbacks_destroy(callbacks);
}

/* ---- writes: libmongoc calls it a failure, too, where one is done but not yet confirmed by a majority ---- */

enum err mongo_modify(struct mongo_conn *conn, bson_t *filter_, bson_t *update_, bson_t *fields_, bool after,
                      bson_t **ret, struct why *why)
{
        CLEAN(bson_free_at) bson_t *filter = filter_;
        CLEAN(bson_free_at) bson_t *update = update_;
        CLEAN(bson_free_at) bson_t *fields = fields_;
        mongoc_find_and_modify_opts_t *options = mongoc_find_and_modify_opts_new();
        bson_error_t error = {0};
        bson_t reply, value;
        enum err e = ERR_OK;
        bool ok;

        *ret = NULL;
        mongoc_find_and_modify_opts_set_update(options, update);
        mongoc_find_and_modify_opts_set_flags(options, after ? MONGOC_FIND_AND_MODIFY_RETURN_NEW
                                                             : MONGOC_FIND_AND_MODIFY_NONE);
        mongoc_find_and_modify_opts_set_max_time_ms(options, (uint32_t)conn->patience_ms);
        if (fields)
                mongoc_find_and_modify_opts_set_fields(options, fields);
        ok = mongoc_collection_find_and_modify_with_opts(conn->orders, filter, options, &reply, &error);
        if (!ok)
                e = mongo_failed(conn, "findAndModify", &error, &reply, why);
        else if (mongo_part(&reply, "value", &value))
                *ret = bson_copy(&value);
        bson_destroy(&reply);
        mongoc_find_and_modify_opts_destroy(options);
        return e;
}

enum err mongo_update(struct mongo_conn *conn, mongoc_collection_t *collection, bson_t *filter_,
                      bson_t *update_, bool many, int64_t *ret_changed, bool *ret_taken, struct why *why)
{
        CLEAN(bson_free_at) bson_t *filter = filter_;
        CLEAN(bson_free_at) bson_t *update = update_;
        bson_error_t error = {0};
        bson_t reply;
        enum err e = ERR_OK;
        bool ok;

        ok = many ? mongoc_collection_update_many(collection, filter, update, NULL, &reply, &error)
                  : mongoc_collection_update_one(collection, filter, update, NULL, &reply, &error);
        *ret_changed = mongo_int(&reply, many ? "modifiedCount" : "matchedCount", 0);
        if (ret_taken)
                *ret_taken = !ok && is_duplicate(&error);
        if (!ok && !(ret_taken && *ret_taken))
                e = mongo_failed(conn, "update", &error, &reply, why);
        bson_destroy(&reply);
        return e;
}

enum err mongo_insert(struct mongo_conn *conn, mongoc_collection_t *collection, bson_t *document_,
                      bool *ret_taken, struct why *why)
{
        CLEAN(bson_free_at) bson_t *document = document_;
        bson_error_t error = {0};
        bson_t reply;
        enum err e = ERR_OK;
        bool ok;

        if (!document)
                return no_memory(why);
        ok = mongoc_collection_insert_one(collection, document, NULL, &reply, &error);
        *ret_taken = !ok && is_duplicate(&error);
        if (!ok && !*ret_taken)
                e = mongo_failed(conn, "insert", &error, &reply, why);
        bson_destroy(&reply);
        return e;
}

enum err mongo_delete(struct mongo_conn *conn, mongoc_collection_t *collection, bson_t *filter_,
                      bool *ret_deleted, struct why *why)
{
        CLEAN(bson_free_at) bson_t *filter = filter_;
        bson_error_t error = {0};
        bson_t reply;
        enum err e = ERR_OK;
        bool ok = mongoc_collection_delete_one(collection, filter, NULL, &reply, &error);

        if (!ok)
                e = mongo_failed(conn, "delete", &error, &reply, why);
        else
                *ret_deleted = mongo_int(&reply, "deletedCount", 0) == 1;
        bson_destroy(&reply);
        return e;
}

/* ---- reads ---- */

mongoc_cursor_t *mongo_find(struct mongo_conn *conn, mongoc_collection_t *collection, bson_t *filter_,
                            bson_t *options_, bool anywhere)
{
        CLEAN(bson_free_at) bson_t *filter = filter_;
        CLEAN(bson_free_at) bson_t *options = options_;

        BSON_APPEND_INT32(options, "maxTimeMS", conn->patience_ms);
        return mongoc_collection_find_with_opts(collection, filter, options, anywhere ? NULL : conn->primary);
}

enum err mongo_end(struct mongo_conn *conn, mongoc_cursor_t *cursor, enum err e, struct why *why)
{
        const bson_t *reply = NULL;
        bson_error_t error = {0};

        if (e == ERR_OK && mongoc_cursor_error_document(cursor, &error, &reply))
                e = mongo_failed(conn, "find", &error, reply, why);
        mongoc_cursor_destroy(cursor);
        return e;
}

enum err mongo_find_one(struct mongo_conn *conn, mongoc_collection_t *collection, bson_t *filter,
                        bson_t *fields_, bson_t **ret, struct why *why)
{
        CLEAN(bson_free_at) bson_t *fields = fields_;
        bson_t *options = BCON_NEW("limit", BCON_INT64(1), "singleBatch", BCON_BOOL(true));
        mongoc_cursor_t *cursor;
        const bson_t *found;

        if (fields)
                BSON_APPEND_DOCUMENT(options, "projection", fields);
        cursor = mongo_find(conn, collection, filter, options, /* anywhere= */ false);
        *ret = mongoc_cursor_next(cursor, &found) ? bson_copy(found) : NULL;
        return mongo_end(conn, cursor, ERR_OK, why);
}

/* ---- an update, operator by operator ---- */

void mongo_change_begin(struct mongo_change *change)
{
        bson_init(&change->set);
        bson_init(&change->unset);
        bson_init(&change->max);
        bson_init(&change->min);
        bson_init(&change->inc);
        bson_init(&change->push);
        change->seen = false;
}

bson_t *mongo_change_end(struct mongo_change *change)
{
        struct {
                const char *name;
                bson_t *part;
        } parts[] = {{"$set", &change->set}, {"$unset", &change->unset}, {"$max", &change->max},
                     {"$min", &change->min}, {"$inc", &change->inc},     {"$push", &change->push}};
        bson_t *update = bson_new();

        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
                if (!bson_empty(parts[i].part))
                        BSON_APPEND_DOCUMENT(update, parts[i].name, parts[i].part);
                bson_destroy(parts[i].part);
        }
        if (change->seen)
                BCON_APPEND(update, "$currentDate", "{", "seenAt", BCON_BOOL(true), "}");
        return update;
}
