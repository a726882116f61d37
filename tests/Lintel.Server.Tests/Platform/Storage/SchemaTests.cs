
namespace Lintel.Platform.Storage;

/// <summary>The two sets of migrations must make the same schema.</summary>
public sealed class SchemaTests
{
    [Fact]
    public async Task Both_databases_have_the_same_tables_columns_and_keys()
    {
        var sqlite = await DescribeAsync(new SqliteUnderTest(), SqliteColumnsAsync, SqliteKeysAsync);
        var postgres = await DescribeAsync(await PostgresUnderTest.CreateAsync(), PostgresColumnsAsync, PostgresKeysAsync);

        Assert.Contains("account.email_normalized TEXT NOT NULL", sqlite);
        Assert.Contains("account UNIQUE (email_normalized)", sqlite);
        Assert.Contains("session FOREIGN KEY (account_id) account CASCADE", sqlite);
        Assert.Equal(sqlite, postgres);
    }

    [Fact]
    public void Both_sets_of_migrations_have_the_same_steps_without_a_gap()
    {
        var sqlite = Migrator.Load(DatabaseKind.Sqlite);
        var postgres = Migrator.Load(DatabaseKind.Postgres);

        Assert.Equal(sqlite.Select(step => step.Name), postgres.Select(step => step.Name));
        Assert.Equal(Enumerable.Range(1, sqlite.Count), sqlite.Select(step => step.Number));
    }

    private static async Task<List<string>> DescribeAsync(DatabaseUnderTest test, params Func<DbSession, ValueTask<List<string>>>[] questions)
    {
        await using (test)
        {
            await using var database = await test.OpenAsync();
            var lines = new List<string>();
            foreach (var question in questions)
            {
                lines.AddRange(await database.ReadAsync(question, TestContext.Current.CancellationToken));
            }

            return [.. lines.Order(StringComparer.Ordinal)];
        }
    }

    private static ValueTask<List<string>> SqliteColumnsAsync(DbSession session) => session.QueryAsync(
        """
        SELECT m.name || '.' || c.name || ' '
            || CASE WHEN upper(c.type) = 'BLOB' THEN 'BYTES' WHEN c.pk = 1 AND c.type = 'INTEGER' AND m.sql LIKE '%AUTOINCREMENT%' THEN 'BIGINT' ELSE upper(c.type) END
            || CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN ' NOT NULL' ELSE '' END
            || CASE WHEN c.dflt_value IS NULL THEN '' ELSE ' DEFAULT ' || lower(c.dflt_value) END
        FROM sqlite_schema m, pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'
        """,
        static row => row.GetString(0));

    private static ValueTask<List<string>> PostgresColumnsAsync(DbSession session) => session.QueryAsync(
        """
        SELECT table_name || '.' || column_name || ' '
            || CASE udt_name WHEN 'int8' THEN 'BIGINT' WHEN 'int4' THEN 'INTEGER' WHEN 'bool' THEN 'BOOLEAN' WHEN 'bytea' THEN 'BYTES' ELSE upper(udt_name) END
            || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
            || CASE WHEN column_default IS NULL THEN '' ELSE ' DEFAULT ' || lower(replace(column_default, '::text', '')) END
        FROM information_schema.columns
        WHERE table_schema = 'public'
        """,
        static row => row.GetString(0));

    private static ValueTask<List<string>> SqliteKeysAsync(DbSession session) => session.QueryAsync(
        """
        SELECT m.name || CASE i.origin WHEN 'pk' THEN ' PRIMARY KEY (' ELSE CASE i."unique" WHEN 1 THEN ' UNIQUE (' ELSE ' INDEX (' END END
            || (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || ')'
            || CASE i.partial WHEN 1 THEN ' PARTIAL' ELSE '' END
        FROM sqlite_schema m, pragma_index_list(m.name) i
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'
        UNION ALL
        SELECT m.name || ' PRIMARY KEY (' || c.name || ')'
        FROM sqlite_schema m, pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND c.pk > 0
            AND NOT EXISTS (SELECT 1 FROM pragma_index_list(m.name) WHERE origin = 'pk')
        UNION ALL
        SELECT m.name || ' FOREIGN KEY (' || f."from" || ') ' || f."table" || ' ' || f.on_delete
        FROM sqlite_schema m, pragma_foreign_key_list(m.name) f
        WHERE m.type = 'table'
        """,
        static row => row.GetString(0));

    private static ValueTask<List<string>> PostgresKeysAsync(DbSession session) => session.QueryAsync(
        """
        SELECT t.relname || CASE WHEN i.indisprimary THEN ' PRIMARY KEY (' WHEN i.indisunique THEN ' UNIQUE (' ELSE ' INDEX (' END
            || (SELECT string_agg(a.attname, ', ' ORDER BY k.place) FROM unnest(i.indkey) WITH ORDINALITY k(attnum, place)
                JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum) || ')'
            || CASE WHEN i.indpred IS NULL THEN '' ELSE ' PARTIAL' END
        FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE n.nspname = 'public'
        UNION ALL
        SELECT t.relname || ' FOREIGN KEY (' || a.attname || ') ' || r.relname || ' ' || CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'NO ACTION' END
        FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class r ON r.oid = c.confrelid
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'f'
        """,
        static row => row.GetString(0));
}
