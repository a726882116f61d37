using System.Buffers.Binary;
using Lintel.Infrastructure;

namespace Lintel.Platform.Storage;

public sealed class TimeOrderedIdsTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Ids_are_in_the_order_in_which_they_were_made()
    {
        var ids = new TimeOrderedIds(_time);

        // More than a millisecond has numbers for.
        var made = Enumerable.Range(0, 10_000).Select(_ => ids.Next()).ToList();
        _time.Advance(TimeSpan.FromMilliseconds(1));
        made.Add(ids.Next());

        Assert.Equal(made.Order(), made);
        Assert.Equal(made.Select(static id => id.ToString()).Order(StringComparer.Ordinal), made.Select(static id => id.ToString()));
        Assert.Equal(made.Count, made.Distinct().Count());
    }

    [Fact]
    public void An_id_is_a_UUID_of_version_7_that_tells_the_time()
    {
        _time.Advance(TimeSpan.FromDays(1));
        var id = new TimeOrderedIds(_time).Next();
        var bytes = id.ToByteArray(bigEndian: true);

        Assert.Equal((7, true), (id.Version, id.Variant is >= 8 and <= 11));
        Assert.Equal(_time.GetUtcNow().ToUnixTimeMilliseconds(), BinaryPrimitives.ReadInt64BigEndian(bytes) >>> 16);
        Assert.Equal(0, id.CompareTo(Guid.ParseExact(id.ToString(), "D")));
    }

    [Fact]
    public async Task Ids_that_are_made_at_once_are_all_different()
    {
        var ids = new TimeOrderedIds(_time);
        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Enumerable.Range(0, 5000).Select(_ => ids.Next()).ToArray())));

        Assert.Equal(40_000, made.SelectMany(static some => some).Select(static id => id.ToString()[..18]).Distinct().Count());
        Assert.All(made, static some => Assert.Equal(some.Order(), some));
    }
}
