using System.Text;
using Lintel.Sandbox.Languages;

namespace Lintel.Sandbox;

public sealed class CompileCacheTests : IDisposable
{
    private readonly string _folder = Path.Combine(Directory.CreateTempSubdirectory("lintel-cache-").FullName, "cache");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_folder)!, recursive: true);

    [Fact]
    public async Task It_is_the_servers_alone()
    {
        Directory.CreateDirectory(_folder);
        File.SetUnixFileMode(_folder, (UnixFileMode)0x1FF);
        var cache = new CompileCache(_folder, 1000);
        using var stored = await StoreAsync(cache, "key", "program");

        Assert.Equal((UnixFileMode)0x1C0, File.GetUnixFileMode(_folder));
        Assert.Equal((UnixFileMode)0x180, File.GetUnixFileMode(Path.Combine(_folder, "key")));
    }

    [Fact]
    public async Task The_least_recently_used_goes_first()
    {
        var cache = new CompileCache(_folder, 3 * EntrySize(100));

        foreach (var key in (string[])["a", "b", "c"])
        {
            (await StoreAsync(cache, key, new string('x', 100))).Dispose();
        }

        (await cache.TryOpenAsync("a", Cancel))!.Value.Artifact.Dispose();
        (await StoreAsync(cache, "d", new string('x', 100))).Dispose();

        Assert.Null(await cache.TryOpenAsync("b", Cancel));
        Assert.Equal(3 * EntrySize(100), cache.Bytes);
        Assert.Equal(["a", "c", "d"], Directory.EnumerateFiles(_folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task What_is_larger_than_the_cache_can_be_run_and_is_not_kept()
    {
        var cache = new CompileCache(_folder, 500);
        using var stored = await StoreAsync(cache, "key", new string('x', 5000));
        Assert.Equal(5000, stored.Length);
        Assert.Null(await cache.TryOpenAsync("key", Cancel));
        Assert.Empty(Directory.EnumerateFiles(_folder));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(42)]
    [InlineData(60)]
    [InlineData(-1)]
    public async Task An_entry_that_was_changed_is_found_out_and_removed(int at)
    {
        var cache = new CompileCache(_folder, 10_000);
        (await StoreAsync(cache, "key", new string('x', 100))).Dispose();
        var path = Path.Combine(_folder, "key");
        var bytes = await File.ReadAllBytesAsync(path, Cancel);
        bytes[at < 0 ? ^1 : at] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, Cancel);

        Assert.Null(await cache.TryOpenAsync("key", Cancel));
        Assert.False(File.Exists(path));
        Assert.Equal(0, cache.Bytes);
    }

    [Fact]
    public async Task An_entry_that_was_cut_short_is_found_out()
    {
        var cache = new CompileCache(_folder, 10_000);
        (await StoreAsync(cache, "key", new string('x', 100))).Dispose();
        await using (var file = File.OpenWrite(Path.Combine(_folder, "key")))
        {
            file.SetLength(10);
        }

        Assert.Null(await cache.TryOpenAsync("key", Cancel));
    }

    [Fact]
    public async Task A_restart_keeps_whole_entries_and_clears_half_ones()
    {
        (await StoreAsync(new CompileCache(_folder, 10_000), "key", "program")).Dispose();
        await File.WriteAllTextAsync(Path.Combine(_folder, "other.0.new"), "half", Cancel);

        var cache = new CompileCache(_folder, 10_000);
        var found = await cache.TryOpenAsync("key", Cancel);
        Assert.Equal("said", found!.Value.Diagnostics);
        found.Value.Artifact.Dispose();
        Assert.Equal(["key"], Directory.EnumerateFiles(_folder).Select(Path.GetFileName));
    }

    [Fact]
    public void A_symbolic_link_is_not_taken_for_the_cache()
    {
        Directory.CreateSymbolicLink(_folder, Path.GetTempPath());
        Assert.Throws<SandboxException>(() => new CompileCache(_folder, 1000));
    }

    [Fact]
    public void A_key_depends_on_every_part()
    {
        var c = Language.Find("c")!;
        var toolchain = new Toolchain(c, "12", "gcc 12", null);
        string[] keys =
        [
            Key(toolchain, ("main.c", "ab")),
            Key(toolchain, ("main.c", "a")),
            Key(toolchain, ("main.c", "a"), ("b.h", "")),
            Key(toolchain, ("main.c", ""), ("b.h", "a")),
            Key(toolchain with { Fingerprint = "gcc 13" }, ("main.c", "ab")),
            Key(toolchain with { Language = c with { Compile = c.Compile + " -O3" } }, ("main.c", "ab")),
            Key(toolchain with { Language = Language.Find("cpp")! }, ("main.c", "ab")),
        ];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(Key(toolchain, ("x", "1"), ("y", "2")), Key(toolchain, ("y", "2"), ("x", "1")));

        static string Key(Toolchain toolchain, params (string Name, string Content)[] files) =>
            Compiler.KeyOf(toolchain, [.. files.Select(file => SandboxFile.FromBytes(file.Name, Encoding.UTF8.GetBytes(file.Content)))]);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static long EntrySize(int length) => 8 + 32 + 4 + "said".Length + length;

    private static Task<Artifact> StoreAsync(CompileCache cache, string key, string program) =>
        cache.StoreAsync(key, new MemoryStream(Encoding.ASCII.GetBytes(program)), "said", Cancel);
}
