/* SPDX-License-Identifier: Apache-2.0 */
/* mongo_indexes.c - every index that there is, made where it is missing. */
#include "model/store_mongo.h"

#include "model/clean.h"

#define ANY_OF_IT "{\"$exists\":true}"
#define LATER "{\"$gt\":{\"$date\":{\"$numberLong\":\"0\"}}}"

/* `orders` are sharded by restaurantId; the few records are not, so that a secret is found by its digest alone. */
static const struct {
        const char *collection;
        const char *index; /* as createIndexes takes it */
} indexes[] = {
        {"orders", "{\"name\":\"number\",\"key\":{\"restaurantId\":1,\"platform\":1,\"platformOrderId\":1},"
                   "\"unique\":true}"},
        {"orders", "{\"name\":\"page\",\"key\":{\"restaurantId\":1,\"createdAt\":-1,\"_id\":-1}}"},
        {"orders", "{\"name\":\"pageOfAll\",\"key\":{\"createdAt\":-1,\"_id\":-1}}"},
        {"orders", "{\"name\":\"open\",\"key\":{\"restaurantId\":1,\"status\":1,\"createdAt\":-1,\"_id\":-1},"
                   "\"partialFilterExpression\":{\"rank\":{\"$lt\":5}}}"},
        {"orders", "{\"name\":\"changes\",\"key\":{\"restaurantId\":1,\"seenAt\":1,\"_id\":1}}"},
        {"orders", "{\"name\":\"dueToPlatform\",\"key\":{\"out.platform.at\":1,\"out.platform.until\":1},"
                   "\"partialFilterExpression\":{\"out.platform.at\":" LATER "}}"},
        {"orders", "{\"name\":\"dueToCourier\",\"key\":{\"out.courier.at\":1,\"out.courier.until\":1},"
                   "\"partialFilterExpression\":{\"out.courier.at\":" LATER "}}"},
        {"orders", "{\"name\":\"failedToPlatform\",\"key\":{\"out.platform.dead\":1,\"restaurantId\":1},"
                   "\"partialFilterExpression\":{\"out.platform.dead\":" ANY_OF_IT "}}"},
        {"orders", "{\"name\":\"failedToCourier\",\"key\":{\"out.courier.dead\":1,\"restaurantId\":1},"
                   "\"partialFilterExpression\":{\"out.courier.dead\":" ANY_OF_IT "}}"},
        {"orders", "{\"name\":\"expiring\",\"key\":{\"expiresAt\":1},"
                   "\"partialFilterExpression\":{\"expiresAt\":" LATER "}}"},
        {"orders", "{\"name\":\"personal\",\"key\":{\"createdAt\":1},"
                   "\"partialFilterExpression\":{\"document.customer.details\":" ANY_OF_IT "}}"},
        {"orders", "{\"name\":\"phone\",\"key\":{\"phone\":1},"
                   "\"partialFilterExpression\":{\"document.customer.details\":" ANY_OF_IT "}}"},
        {"restaurants", "{\"name\":\"page\",\"key\":{\"createdAt\":-1,\"_id\":-1}}"},
        {"tokens", "{\"name\":\"page\",\"key\":{\"restaurantId\":1,\"createdAt\":-1,\"_id\":-1}}"},
        {"tokens", "{\"name\":\"look\",\"key\":{\"looks\":1},\"unique\":true,"
                   "\"partialFilterExpression\":{\"looks\":" ANY_OF_IT "}}"},
        {"integrations", "{\"name\":\"page\",\"key\":{\"restaurantId\":1,\"createdAt\":-1,\"_id\":-1}}"},
        {"integrations", "{\"name\":\"look\",\"key\":{\"looks\":1},\"unique\":true,"
                         "\"partialFilterExpression\":{\"looks\":" ANY_OF_IT "}}"},
        {"connections", "{\"name\":\"page\",\"key\":{\"restaurantId\":1,\"createdAt\":-1,\"_id\":-1}}"},
        {"connections", "{\"name\":\"pageOfAll\",\"key\":{\"createdAt\":-1,\"_id\":-1}}"},
        {"polls", "{\"name\":\"page\",\"key\":{\"createdAt\":-1,\"_id\":-1}}"},
        {"erasures", "{\"name\":\"page\",\"key\":{\"createdAt\":-1,\"_id\":-1}}"},
};

static enum err make_index(struct mongo_conn *conn, const char *collection, const char *text, struct why *why)
{
        bson_error_t error = {0};
        CLEAN(bson_free_at) bson_t *index = bson_new_from_json((const uint8_t *)text, -1, &error);
        CLEAN(bson_free_at)
        bson_t *command =
                BCON_NEW("createIndexes", BCON_UTF8(collection), "indexes", "[", BCON_DOCUMENT(index), "]");
        bson_t reply;
        enum err e = ERR_OK;

        if (!mongoc_database_write_command_with_opts(conn->database, command, NULL, &reply, &error)) {
                e = mongo_failed(conn, "createIndexes", &error, &reply, why);
                if (!conn->again)
                        FAIL(why, e,
                             "MongoDB refuses index %s of collection %s: %s (%u); is another in the way?",
                             mongo_text(index, "name"), collection, mongo_text(&reply, "codeName"),
                             (unsigned)error.code);
        }
        bson_destroy(&reply);
        return e;
}

enum err mongo_make_indexes(struct mongo_conn *conn, struct why *why)
{
        enum err e = ERR_OK;

        for (size_t i = 0; i < sizeof indexes / sizeof *indexes && e == ERR_OK; i++)
                e = make_index(conn, indexes[i].collection, indexes[i].index, why);
        return e;
}
